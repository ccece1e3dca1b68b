from pathlib import Path

LABELS = Path(__file__).with_name("labels.txt").read_text()
