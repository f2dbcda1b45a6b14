/* Calibration texts: what is read, in which order, what is drawn, and how it is weighted. */
#include "data/corpus.h"
#include "data/documents.h"
#include "model/load.h"
#include "unit.h"

#include <stdio.h>
#include <sys/stat.h>

static les_model *model;
static char folder[64];

static void write_file(const char *name, const char *text) {
  char path[128];
  assert_int_equal(scratch_write(folder, name, text, strlen(text), path), 0);
}

static const char *in_folder(const char *name) {
  static char path[128];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static int set_up(void **state) {
  (void)state;
  if (scratch_open(folder) != 0) return -1;
  mkdir(in_folder("texts"), 0700);
  mkdir(in_folder("texts/more"), 0700);
  write_file("texts/b.txt", "second");
  write_file("texts/a.txt", "first");
  write_file("texts/.hidden", "not read");
  write_file("texts/more/c.jsonl",
             "{\"question\": \"third?\", \"id\": 1}\n\n{\"text\": \"fourth\", \"page\": \"no\"}\n");
  return les_model_open(&model, TEST_DATA "/models/stories260K/stories260K.gguf",
                        &(les_model_options){.no_sha256 = true}) == LES_OK
             ? 0
             : -1;
}

static int tear_down(void **state) {
  (void)state;
  les_model_close(&model);
  static const char *const names[] = {"texts/b.txt",   "texts/a.txt", "texts/.hidden", "texts/more/c.jsonl",
                                      "texts/bad.txt", "mix.json",    "lines.jsonl"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) remove(in_folder(names[i]));
  rmdir(in_folder("texts/more"));
  rmdir(in_folder("texts"));
  return rmdir(folder);
}

static void test_folders_are_read_in_order(void **state) {
  (void)state;
  static const char *const want[] = {"first", "second", "third?", "fourth"};
  les_documents d = {0};
  assert_int_equal(les_documents_read(&d, in_folder("texts"), NULL), LES_OK);
  assert_int_equal(d.n, 4);
  for (int i = 0; i < 4; i++) assert_string_equal(d.items[i].text, want[i]);
  les_documents_free(&d);
  assert_int_equal(les_documents_read(&d, in_folder("texts"), "id"), LES_FAILED);
  assert_message("c.jsonl:1: no text at 'id'");
  les_documents_free(&d);
  write_file("texts/bad.txt", "\xff\xfe");
  assert_int_equal(les_documents_read(&d, in_folder("texts"), NULL), LES_FAILED);
  assert_message("bad.txt:1: not valid UTF-8 (byte 0xff at offset 0)");
  les_documents_free(&d);
  remove(in_folder("texts/bad.txt"));
}

/* Tables are read as such, not as plain text; a byte order mark belongs to no text. */
static void test_tables_are_rows(void **state) {
  (void)state;
  static const char *const files[][2] = {{"table.csv", "\ufeffid,text\r\n1,\"one, two\"\r\n2,three\r\n"},
                                         {"table.tsv", "text\tid\none, two\t1\nthree\t2\n"},
                                         {"table.json", "[{\"text\": \"one, two\"}, {\"text\": \"three\"}]"}};
  les_documents d = {0};
  for (size_t i = 0; i < 3; i++) {
    write_file(files[i][0], files[i][1]);
    assert_int_equal(les_documents_read(&d, in_folder(files[i][0]), NULL), LES_OK);
    assert_int_equal(d.n, 2);
    assert_string_equal(d.items[0].text, "one, two");
    assert_string_equal(d.items[1].text, "three");
    les_documents_free(&d);
    remove(in_folder(files[i][0]));
  }
  write_file("marked.txt", "\ufeffplain");
  assert_int_equal(les_documents_read(&d, in_folder("marked.txt"), NULL), LES_OK);
  assert_string_equal(d.items[0].text, "plain");
  les_documents_free(&d);
  remove(in_folder("marked.txt"));
}

static void read_lines(les_documents *d) {
  char text[2000] = "";
  for (int i = 0; i < 40; i++)
    snprintf(text + strlen(text), sizeof text - strlen(text), "{\"text\": \"%02d\"}\n", i);
  write_file("lines.jsonl", text);
  *d = (les_documents){0};
  assert_int_equal(les_documents_read(d, in_folder("lines.jsonl"), NULL), LES_OK);
  assert_int_equal(d->n, 40);
}

static void test_draws_are_keyed_and_in_order(void **state) {
  (void)state;
  les_documents a, b, c;
  read_lines(&a), read_lines(&b), read_lines(&c);
  assert_int_equal(les_documents_draw(&a, 10, 5, 0), LES_OK);
  assert_int_equal(les_documents_draw(&b, 10, 5, 0), LES_OK);
  assert_int_equal(les_documents_draw(&c, 10, 6, 0), LES_OK);
  bool same = true;
  for (int i = 0; i < 10; i++) {
    assert_string_equal(a.items[i].text, b.items[i].text);
    same = same && !strcmp(a.items[i].text, c.items[i].text);
    if (i > 0) assert_true(strcmp(a.items[i - 1].text, a.items[i].text) < 0);
  }
  assert_false(same);
  assert_int_equal(les_documents_draw(&a, 11, 5, 0), LES_FAILED);
  assert_message("11 samples are asked for, but there are 10 documents");
  les_documents_free(&a), les_documents_free(&b), les_documents_free(&c);
}

static void test_weights_are_shares_of_sources(void **state) {
  (void)state;
  les_documents d;
  read_lines(&d);
  les_documents_free(&d);
  write_file("mix.json", "[{\"file\": \"texts/a.txt\", \"weight\": 0.7},"
                         " {\"file\": \"lines.jsonl\", \"weight\": 0.3, \"samples\": 7}]");
  les_corpus one, two, other;
  assert_int_equal(les_corpus_read(&one, in_folder("mix.json"), model->tokenizer, 1), LES_OK);
  assert_int_equal(les_corpus_read(&two, in_folder("mix.json"), model->tokenizer, 1), LES_OK);
  assert_int_equal(les_corpus_read(&other, in_folder("mix.json"), model->tokenizer, 2), LES_OK);
  assert_int_equal(one.n, 8);
  double first = one.passages[0].weight * one.passages[0].tokens.n, rest = 0;
  for (int i = 1; i < 8; i++) rest += one.passages[i].weight * one.passages[i].tokens.n;
  assert_near(first, 0.7, 1e-12);
  assert_near(rest, 0.3, 1e-12);
  assert_string_equal(one.sha256, two.sha256);
  assert_string_not_equal(one.sha256, other.sha256);
  les_corpus_free(&one), les_corpus_free(&two), les_corpus_free(&other);
}

static void test_broken_mixes(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"{}", "a mix is a list"}, /* the first five say something wrong: wrong usage */
      {"[]", "a mix is a list"},
      {"[{\"weight\": 1}]", "needs \"file\""},
      {"[{\"file\": \"texts\", \"wieght\": 1}]", "wieght"},
      {"[{\"file\": \"texts\", \"weight\": 0}]", "weight"},
      {"[{\"file\": \"nowhere.txt\"}]", "nowhere.txt: cannot be opened"},
      {"[{\"file\": \"texts\", \"samples\": 5}]", "there are 4 documents"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    les_corpus c;
    write_file("mix.json", cases[i][0]);
    assert_int_equal(les_corpus_read(&c, in_folder("mix.json"), model->tokenizer, 0),
                     i < 5 ? LES_USAGE : LES_FAILED);
    assert_message(cases[i][1]);
    assert_null(c.passages);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_folders_are_read_in_order),
      cmocka_unit_test(test_tables_are_rows),
      cmocka_unit_test(test_draws_are_keyed_and_in_order),
      cmocka_unit_test(test_weights_are_shares_of_sources),
      cmocka_unit_test(test_broken_mixes),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
