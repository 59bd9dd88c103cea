"""The learned classifier: what rules have filed → a model that files what no rule does, or abstains."""
