def detect(context, image:
