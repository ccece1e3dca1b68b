raise RuntimeError("the weights are not there")
