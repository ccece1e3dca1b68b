from pathlib import Path

from aa_runtime import FunctionSource, Options, create_handler


def init_context(context):
    source = FunctionSource(file=Path(__file__).with_name("func.py"))
    context.user_data.model = create_handler(source, Options(), context.logger)


def handler(context, event):
    return context.user_data.model.handle(context, event)
