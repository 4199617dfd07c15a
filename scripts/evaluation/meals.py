"""Shanghai's meals are sentences: how much carbohydrate stands in them, roughly.

A food's share of carbohydrate is that of its kind in China's food composition tables, rounded; a kind is found by a
word of its name. What matters is the order of size: the twin learns each person's gain.

>>> round(carbohydrate("Egg 69 g\\nCoarse grain steamed bread 137 g\\nBoiled vegetable 107 g"), 1)
69.9
>>> carbohydrate("data not available"), insulin("Novolin R, 2 IU"), insulin("insulin degludec, 14 IU")
(0.0, (2.0, 0.0), (0.0, 14.0))
"""

from __future__ import annotations

import re

SHARES = (
    ("sugar|candy|honey|chocolate", 0.7),
    ("biscuit|cracker|cookie|oatmeal|cereal|walnut powder|sesame powder|lotus root powder", 0.6),
    ("bread|mantou|steamed bun|pancake|cake|toast|fritter", 0.48),
    ("bun|pie|pizza|sandwich|hamburger|burger", 0.35),
    ("rice noodle|noodle|spaghetti|vermicelli", 0.25),
    ("porridge|congee|gruel|rice soup", 0.1),
    ("rice|coarse grain|millet|buckwheat|sticky|glutinous|zongzi", 0.28),
    ("dumpling|wonton|shaomai", 0.25),
    ("corn|potato|yam|taro|pumpkin|lotus root|chestnut", 0.17),
    ("milk|yogurt|yoghurt|soy bean milk|soybean milk|soy milk", 0.06),
    ("banana|grape|litchi|longan|cherry|date|durian|jujube|hawthorn", 0.18),
    ("apple|pear|orange|peach|melon|berry|fruit|kiwi|plum|pomelo|loquat|dragon|cantaloupe|mandarin|tangerine", 0.1),
    ("walnut|peanut|nut|seed|bean curd|tofu", 0.1),
    ("bean|pea|lentil", 0.12),
    ("egg|fish|meat|pork|beef|chicken|duck|shrimp|prawn|crab|ham|sausage|mutton|turtle|eel|carp", 0.03),
    ("cabbage|vegetable|lettuce|spinach|celery|cucumber|tomato|gourd|cauliflower|mushroom|asparagus|amaranth", 0.04),
)
OTHER = 0.08
GRAMS = {"g": 1.0, "ml": 1.0, "bowl": 200.0, "cup": 200.0, "piece": 50.0, "slice": 30.0, "": 50.0}
"""Grams of a unit."""
LONG_ACTING = re.compile(r"degludec|glargine|detemir|nph|protamine|isophane", re.IGNORECASE)
PREMIXED = re.compile(r"(\d\d)\s*/\s*\d\d|\b(30|50|25|70) ?R|mix|Novolin (30|50)R", re.IGNORECASE)

_ITEM = re.compile(r"([A-Za-z][A-Za-z ,()'&-]*?)\s+(\d+(?:\.\d+)?)\s*(g|ml|bowl|cup|piece|slice)?")
_DOSE = re.compile(r"([a-z][a-z0-9 /()-]*?),?\s*(\d+(?:\.\d+)?)\s*IU", re.IGNORECASE)
_SHARES = tuple((re.compile(words, re.IGNORECASE), share) for words, share in SHARES)


def carbohydrate(text: str) -> float:
    """Grams of carbohydrate in a meal's sentence; 0 where nothing is said."""
    if not text.strip() or "not available" in text:
        return 0.0
    total = 0.0
    for name, amount, unit in _ITEM.findall(text):
        share = next((share for words, share in _SHARES if words.search(name)), OTHER)
        total += share * float(amount) * GRAMS[unit.lower()]
    return total


def insulin(text: str) -> tuple[float, float]:
    """Units of rapid and of long-acting insulin in a sentence of doses; of a premixed one by its parts."""
    rapid = lasting = 0.0
    for name, amount in _DOSE.findall(text):
        units = float(amount)
        mixed = re.search(r"(\d\d)", name) if PREMIXED.search(name) else None
        share = int(mixed[1]) / 100 if mixed else float(not LONG_ACTING.search(name))
        rapid += share * units
        lasting += (1 - share) * units
    return rapid, lasting
