"""Pictures of a twin's readings: in the terminal, and as files (PNG, SVG).

scene       what is drawn, and the same in a sentence
terminal    drawn in the terminal
file        drawn as PNG or SVG, with matplotlib
"""
