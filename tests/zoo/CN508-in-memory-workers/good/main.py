from model_handler import ModelHandler


def init_context(context):
    context.user_data.model = ModelHandler(context.logger)


def handler(context, event):
    return context.user_data.model.handle(context, event)
