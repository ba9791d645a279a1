# The answer as Flask gives it, for gunicorn.
from flask import Flask

app = Flask(__name__)


@app.route('/', methods=['GET', 'POST'])
def hello():
    return 'Hello, World!', 200
