"""The worked example: hospitals learn to tell a disease from a few numbers of each patient, by logistic regression.

- `patients`: whose numbers they are, and how they lie in a twin
- `learning`: the model, as a site trains it
- `apps`: the Flower apps of both sides
"""
