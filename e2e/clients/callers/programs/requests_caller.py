"""python3 requests_caller.py BASE: does the tasks on its standard input (callers/tasks.ts) with requests."""
import concurrent.futures
import hashlib
import sys

import requests

base = sys.argv[1]
session = requests.Session()


def body_of(size, chunked):
    if size < 0:
        return None
    body = bytes(97 + place % 26 for place in range(size))
    # A generator has no length, so it is sent in chunks.
    return (body[at : at + 10_000] for at in range(0, size, 10_000)) if chunked else body


def once(words):
    method, path, size, chunked, _, header = words[:6]
    try:
        headers = {"x-test": header} if header else {}
        answer = session.request(
            method,
            base + path,
            data=body_of(int(size), chunked == "1"),
            headers=headers,
            # As it does by itself for all methods but HEAD.
            allow_redirects=True,
            timeout=60,
        )
        digest = hashlib.sha256(answer.content).hexdigest()
        return f"{answer.status_code}\t{digest}\t{answer.headers.get('content-length', '')}"
    except requests.RequestException as error:
        return f"error\t{error!r}"


with concurrent.futures.ThreadPoolExecutor(64) as threads:
    for line in sys.stdin:
        words = line.rstrip("\n").split("\t")
        tasks = [words] * int(words[6])
        answers = threads.map(once, tasks) if words[7] == "1" else map(once, tasks)
        for answer in answers:
            print(answer, flush=True)
