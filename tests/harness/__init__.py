"""What the Python tests share. Each test is a script: PYTHONPATH=tests python3 tests/FOLDER/test_NAME.py BUILD/lesion"""
