"""What pytest does not collect here."""

collect_ignore = ["make_keras.py"]  # a script for an environment with Keras
