from aa_runtime import FunctionSource, Options, create_handler

SOURCE = FunctionSource(module="tracker")
OPTIONS = Options(name="demo-detector", state="in-memory")


class ModelHandler:
    def __init__(self, logger):
        self._handler = create_handler(SOURCE, OPTIONS, logger)

    def handle(self, context, event):
        return self._handler.handle(context, event)
