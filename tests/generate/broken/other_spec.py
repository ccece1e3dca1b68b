spec = {"labels": ["x"]}
