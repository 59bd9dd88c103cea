"""The learned classifier: what rules have filed → a model that files what no rule does, or abstains. Pure.

The model stands in the store as bytes (`text_model.model_to_bytes`). Absent or damaged, the desk works without.
"""
