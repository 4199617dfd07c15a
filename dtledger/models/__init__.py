"""Models: what a coordinator and its sites say, and what an auditor can check of it.

- `card`: the model in words
- `consents`: the consent root of a site's round: one leaf a twin, which patient and site can derive and nobody else
- `update`: the salted hash of an update, the site's signed record of it, and the coordinator's of an aggregate
- `aggregates`: that record, held against the ledger
- `opening`: what a site shows an auditor of one round: twins, grants, link keys, meanings of category bits
- `release`, `origin`, `dsse`: weights that are handed on, where they come from, and the envelope that says so
- `standing`: whether a twin's consent carries a round
- `withdrawal`, `remediation`: whether it was taken back since, which aggregates that touches, and what became of them
"""
