"""What holds for every command: options mean the same everywhere, and output that does not arrive is a failure."""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

from harness.program import ARGS, DATA, ENV, LESION
from harness.sweeps import MODEL

# -n alone has two meanings: new tokens, and ranks where a command is about them, as in mpirun
LETTERS = {"c": ["compute"], "f": ["file"], "j": ["json"], "l": ["lesion"], "m": ["measure"], "n": ["max-new-tokens", "ranks"],
           "o": ["output"], "p": ["prompt"], "t": ["threads"]}


def run(*args, **options):
    return subprocess.run([LESION, *args], stdout=options.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE, text=True,
                          timeout=120, env=ENV, **options)


def commands():
    return re.findall(r"^  ([a-z]+) ", run("--help").stdout, re.MULTILINE)


def options(command):
    """The letter (or None) of every long option that the command's help lists."""
    found = {}
    for letter, name in re.findall(r"^ +(?:-([\w?]),)? +--([a-z0-9-]+)", run(command, "--help").stdout, re.MULTILINE):
        found[name] = letter or None
    return found


class Options(unittest.TestCase):
    def test_a_letter_means_one_thing(self):
        self.assertGreater(len(commands()), 12)
        meanings = {}
        for command in commands():
            found = options(command)
            self.assertIn("help", found, command)
            for name, letter in found.items():
                if letter:
                    meanings.setdefault(letter, set()).add(name)
        for letter, names in meanings.items():
            self.assertEqual(sorted(names), LETTERS.get(letter, sorted(names)[:1]), f"-{letter}")

    def test_where_an_option_is_known_so_is_its_letter(self):
        for command in commands():
            found = options(command)
            for letter, names in LETTERS.items():
                for name in names:
                    self.assertEqual(found.get(name, letter), letter, f"{command} --{name}")

    def test_every_short_option_has_a_long_one(self):
        for command in commands():
            self.assertIsNone(re.search(r"^ +-\w(?!,)", run(command, "--help").stdout, re.MULTILINE), command)

    def test_numbers_are_whole_where_they_count(self):
        done = run("generate", MODEL, "--prompt", "x", "-n", "1.5")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--max-new-tokens needs a whole number, not '1.5'", done.stderr)

    def score_file(self, name, data, code=0):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, name)
            with open(path, "wb") as f:
                f.write(data.encode() if isinstance(data, str) else data)
            done = run("score", MODEL, "--file", path, "--json")
        self.assertEqual(done.returncode, code, done.stderr)
        return json.loads(done.stdout)["results"] if code == 0 else done.stderr

    def test_files_of_rows_are_documents_and_not_plain_text(self):
        want = json.loads(run("score", MODEL, "--text", "Once upon, a time", "--text", "The sun", "--json").stdout)["results"]
        for name, text in [("a.jsonl", '\ufeff{"text": "Once upon, a time"}\r\n{"text": "The sun"}\r\n'),
                           ("a.json", '[{"text": "Once upon, a time"}, {"text": "The sun"}]'),
                           ("a.csv", 'id,text\r\n1,"Once upon, a time"\r\n2,The sun\r\n'),
                           ("a.tsv", "text\tid\nOnce upon, a time\t1\nThe sun\t2\n")]:
            self.assertEqual(self.score_file(name, text), want, name)
        message = self.score_file("mix.json", '[{"file": "x.txt", "weight": 1}]', code=1)
        self.assertIn("mix.json:1: no text at", message)
        self.assertEqual(message.count("\n"), 1)

    def test_text_files_are_utf8_with_or_without_a_mark(self):
        want = json.loads(run("score", MODEL, "--text", "Once upon", "--json").stdout)["results"]
        self.assertEqual(self.score_file("a.txt", "\ufeffOnce upon"), want)
        self.assertIn("a.txt:2: not valid UTF-8 (byte 0xff at offset 5)", self.score_file("a.txt", b"Once\n\xff", code=1))

    def test_chat_needs_a_template_and_system_needs_chat(self):
        done = run("generate", MODEL, "--prompt", "Hi", "--chat")
        self.assertEqual(done.returncode, 1)
        self.assertIn("brings no chat template", done.stderr)
        done = run("generate", MODEL, "--prompt", "Hi", "--system", "Be brief.")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--system goes with --chat", done.stderr)

    def test_a_file_may_be_standard_input(self):
        done = run("tokenize", MODEL, "--file", "-", input="Once upon")
        self.assertEqual(done.stdout, run("tokenize", MODEL, "--text", "Once upon").stdout)


class Estimate(unittest.TestCase):
    def estimate(self, command, *args):
        with tempfile.TemporaryDirectory() as folder:
            job = os.path.join(folder, "job.json")
            with open(job, "w") as f:
                json.dump({"model": MODEL, "prompts": "prompts.jsonl", "lesions": ["skip@each"], "measures": ["kl"],
                           "compute": "f32"}, f)
            with open(os.path.join(folder, "prompts.jsonl"), "w") as f:
                f.write('{"id": "a", "domain": "d", "prompt": "Once upon a time"}\n')
            done = run(command, job, "--json", *args)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            return json.loads(done.stdout)

    def test_it_is_also_called_plan(self):
        self.assertEqual(self.estimate("plan").keys(), self.estimate("estimate").keys())
        self.assertNotIn("plan", commands())

    def test_compute_overrides_the_job(self):
        self.assertEqual(self.estimate("estimate")["compute"], "f32")
        for mode in "auto", "int16":
            self.assertEqual(self.estimate("estimate", "--compute", mode)["compute"], mode)


class Progress(unittest.TestCase):
    """Told on stderr where it is asked for, and nowhere else."""

    ways = (["score", MODEL, "--text", "Once upon a time", "--lesion", "skip@each"], ["importance", MODEL, "--text", "Once upon a time"],
            ["generate", MODEL, "--prompt", "Once", "-n", "4", "--lesion", "skip@0"],
            ["task", MODEL, "--task", "arc_easy", "--data", os.path.join(DATA, "tasks", "arc_easy.jsonl"), "--limit", "2"])

    def test_it_counts_to_the_end(self):
        for args in self.ways:
            with self.subTest(args[0]):
                silent, told = run(*args, "--json"), run(*args, "--json", "--progress")
                self.assertEqual((silent.returncode, silent.stderr), (0, ""))
                self.assertEqual(told.stdout, silent.stdout)
                self.assertRegex(told.stderr, r"(?m)^(\d+)/\1 (texts|tokens|continuations|requests)  [\d.]+/s  0:00:00 left$")


class Output(unittest.TestCase):
    """Nothing may be cut short and called done."""

    ways = (["inspect", MODEL], ["inspect", "--json", MODEL], ["tokenize", MODEL, "--text", "Once"], ["--help"], ["map", "--help"],
            ["score", MODEL, "--text", "Once upon a time"])

    def check(self, done):
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn("lesion: standard output could not be written", done.stderr)

    def test_a_full_disk(self):
        for args in self.ways:
            with self.subTest(args), open("/dev/full", "w") as full:
                self.check(run(*args, stdout=full))

    def test_a_closed_pipe(self):
        for args in self.ways:
            with self.subTest(args):
                read, write = os.pipe()
                os.close(read)
                with os.fdopen(write, "w") as pipe:
                    self.check(run(*args, stdout=pipe))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *ARGS])
