"""The rules, by subject. Each class is one rule; its docstring is what docs/rules.md says about it."""
