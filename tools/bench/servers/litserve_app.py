"""LitServe: an API with its own workers. `python litserve_app.py PORT WORKERS`."""

import sys

import litserve
from detection import detect


class Detector(litserve.LitAPI):
    """One request at a time in each worker."""

    def setup(self, device):
        """Nothing to load."""

    def decode_request(self, request):
        """The base64 text."""
        return request["image"]

    def predict(self, image):
        """CVAT's items."""
        return detect(image)

    def encode_response(self, output):
        """As they are."""
        return output


if __name__ == "__main__":
    server = litserve.LitServer(Detector(), accelerator="cpu", workers_per_device=int(sys.argv[2]))
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False)
