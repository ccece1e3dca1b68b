def load(context):
    context.user_data.model = len
