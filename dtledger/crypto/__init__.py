"""The two locks and all that goes with them, as pure functions of bytes: no I/O, no clock.

- `keytree`: the patient's lock, a key for each minute, given away by windows of time
- `shamir`: the custodians' lock, t of n shares of a secret
- `content`: a key that needs both, its commitment, and chunks of ciphertext
- `seal`: sealing to a public key; `padding`: hiding sizes
- `bits`, `tags`: what outsiders do not learn: categories, streams, links
- `merkle`: roots and proofs; `kdf`: the labels under which keys are derived
"""
