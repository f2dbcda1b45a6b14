#include "data/task_rows.h"

#include "data/rewrite.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Places of a document, for messages. */
#define FAIL_AT(at, ...) les_fail_in(les_fail(LES_FAILED, __VA_ARGS__), "%s:%d", (at).path, (at).line)

static les_status no_memory(les_json_source at) {
  return les_no_memory("the document at %s:%d", at.path, at.line);
}

/* ---- fields of a document ---- */

static les_status get_string(const cJSON *json, const char *key, les_json_source at, const char **value) {
  *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
  return *value ? LES_OK : FAIL_AT(at, "the document needs a string '%s'", key);
}

/* A list of at least two strings. */
static les_status get_strings(const cJSON *json, const char *key, les_json_source at, const cJSON **list) {
  const cJSON *item;
  *list = cJSON_GetObjectItemCaseSensitive(json, key);
  if (!cJSON_IsArray(*list) || cJSON_GetArraySize(*list) < 2)
    return FAIL_AT(at, "the document needs a list '%s' of two strings or more", key);
  cJSON_ArrayForEach(item, *list) {
    if (!cJSON_IsString(item)) return FAIL_AT(at, "'%s' has to hold strings only", key);
  }
  return LES_OK;
}

/* A label: a number from `low` to low + n - 1, as a number, as digits in a string, or as true and false. */
static les_status get_label(const cJSON *json, const char *key, les_json_source at, int low, int n,
                            int *index) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
  for (*index = 0; *index < n; ++*index) {
    char digits[16];
    snprintf(digits, sizeof digits, "%d", low + *index);
    if (cJSON_IsNumber(item) && item->valuedouble == low + *index) return LES_OK;
    if (cJSON_IsString(item) && !strcmp(item->valuestring, digits)) return LES_OK;
    if (cJSON_IsBool(item) && low + *index == cJSON_IsTrue(item)) return LES_OK;
  }
  return FAIL_AT(at, "the document needs a label '%s' from %d to %d", key, low, low + n - 1);
}

/* ---- items ---- */

/* Appends an item, whose strings are taken over; false, with the strings freed, if there is no memory. */
static bool append(les_task_items *items, les_task_item item) {
  les_task_item *more = realloc(items->items, ((size_t)items->n + 1) * sizeof *more);
  if (!more) {
    free(item.context);
    free(item.continuation);
    return false;
  }
  items->items = more;
  more[items->n++] = item;
  return true;
}

/* Appends an item; takes context and continuation over (NULL: they could not be made). `choice` is the text
 * whose length counts. */
static les_status add_item(les_task_items *items, les_json_source at, char *context, char *continuation,
                           const char *choice) {
  if (context && continuation)
    return append(items, (les_task_item){context, continuation, les_rewrite_count_chars(choice),
                                         (int64_t)strlen(choice)})
               ? LES_OK
               : no_memory(at);
  free(context);
  free(continuation);
  return no_memory(at);
}

static char *format(const char *form, ...) __attribute__((format(printf, 1, 2)));
static char *format(const char *form, ...) {
  char *text;
  va_list args;
  va_start(args, form);
  int n = vasprintf(&text, form, args);
  va_end(args);
  return n < 0 ? NULL : text;
}

/* Appends an item for each of the strings in `choices`, a space before it. */
static les_status add_choices(les_task_items *items, les_json_source at, const char *context,
                              const cJSON *choices) {
  const cJSON *choice;
  cJSON_ArrayForEach(choice, choices)
      LES_TRY(add_item(items, at, strdup(context), format(" %s", choice->valuestring), choice->valuestring));
  return LES_OK;
}

/* ---- one reader per data set ---- */

/* arc/arc_easy.yaml */
static les_status read_arc(les_task_items *items, les_task_document *doc, const cJSON *json,
                           les_json_source at) {
  const char *question, *answer;
  const cJSON *texts, *labels, *choices = cJSON_GetObjectItemCaseSensitive(json, "choices");
  LES_TRY(get_string(json, "question", at, &question));
  LES_TRY(get_string(json, "answerKey", at, &answer));
  LES_TRY(get_strings(choices, "text", at, &texts));
  LES_TRY(get_strings(choices, "label", at, &labels));
  int n = cJSON_GetArraySize(texts);
  if (cJSON_GetArraySize(labels) != n)
    return FAIL_AT(at, "'choices' has %d texts but %d labels", n, cJSON_GetArraySize(labels));
  while (doc->gold < n && strcmp(cJSON_GetArrayItem(labels, doc->gold)->valuestring, answer)) doc->gold++;
  if (doc->gold == n) return FAIL_AT(at, "the answerKey '%s' is not among the labels", answer);
  char *context = format("Question: %s\nAnswer:", question);
  les_status s = context ? add_choices(items, at, context, texts) : no_memory(at);
  free(context);
  return s;
}

/* hellaswag/utils.py: preprocess */
static char *clean_hellaswag(char *text) {
  text = les_rewrite_replace(les_rewrite_strip(text), " [title]", ". ");
  return les_rewrite_replace(les_rewrite_drop_brackets(text), "  ", " ");
}

/* hellaswag/hellaswag.yaml */
static les_status read_hellaswag(les_task_items *items, les_task_document *doc, const cJSON *json,
                                 les_json_source at) {
  const char *activity, *a, *b;
  const cJSON *endings, *ending;
  LES_TRY(get_string(json, "activity_label", at, &activity));
  LES_TRY(get_string(json, "ctx_a", at, &a));
  LES_TRY(get_string(json, "ctx_b", at, &b));
  LES_TRY(get_strings(json, "endings", at, &endings));
  LES_TRY(get_label(json, "label", at, 0, cJSON_GetArraySize(endings), &doc->gold));
  char *capital = les_rewrite_capitalize(strdup(b));
  char *context = capital ? clean_hellaswag(format("%s: %s %s", activity, a, capital)) : NULL;
  les_status s = context ? LES_OK : no_memory(at);
  cJSON_ArrayForEach(ending, endings) {
    char *choice = s == LES_OK ? clean_hellaswag(strdup(ending->valuestring)) : NULL;
    if (choice)
      s = add_item(items, at, strdup(context), format(" %s", choice), choice);
    else if (s == LES_OK)
      s = no_memory(at);
    free(choice);
  }
  free(capital);
  free(context);
  return s;
}

/* piqa/piqa.yaml */
static les_status read_piqa(les_task_items *items, les_task_document *doc, const cJSON *json,
                            les_json_source at) {
  const char *goal, *solutions[2];
  LES_TRY(get_string(json, "goal", at, &goal));
  LES_TRY(get_string(json, "sol1", at, &solutions[0]));
  LES_TRY(get_string(json, "sol2", at, &solutions[1]));
  LES_TRY(get_label(json, "label", at, 0, 2, &doc->gold));
  for (int i = 0; i < 2; i++)
    LES_TRY(add_item(items, at, format("Question: %s\nAnswer:", goal), format(" %s", solutions[i]),
                     solutions[i]));
  return LES_OK;
}

/* winogrande/preprocess_winogrande.py: the options stand in the context, and the rest of the sentence is
 * scored. */
static les_status read_winogrande(les_task_items *items, les_task_document *doc, const cJSON *json,
                                  les_json_source at) {
  const char *sentence, *options[2];
  LES_TRY(get_string(json, "sentence", at, &sentence));
  LES_TRY(get_string(json, "option1", at, &options[0]));
  LES_TRY(get_string(json, "option2", at, &options[1]));
  LES_TRY(get_label(json, "answer", at, 1, 2, &doc->gold));
  const char *gap = strchr(sentence, '_');
  if (!gap) return FAIL_AT(at, "the sentence has no '_' to fill in");
  char *rest = les_rewrite_strip(strdup(gap + 1));
  les_status s = rest ? LES_OK : no_memory(at);
  for (int i = 0; i < 2 && s == LES_OK; i++)
    s = add_item(items, at, format("%.*s%s", (int)(gap - sentence), sentence, options[i]),
                 format(" %s", rest), options[i]);
  free(rest);
  return s;
}

/* lambada/lambada_openai.yaml */
static les_status read_lambada(les_task_items *items, les_task_document *doc, const cJSON *json,
                               les_json_source at) {
  (void)doc;
  const char *text;
  LES_TRY(get_string(json, "text", at, &text));
  const char *space = strrchr(text, ' '), *word = space ? space + 1 : text;
  return add_item(items, at, strndup(text, space ? (size_t)(space - text) : 0), format(" %s", word), word);
}

/* super_glue/boolq/default.yaml */
static les_status read_boolq(les_task_items *items, les_task_document *doc, const cJSON *json,
                             les_json_source at) {
  static const char *const choices[] = {"no", "yes"};
  const char *passage, *question;
  LES_TRY(get_string(json, "passage", at, &passage));
  LES_TRY(get_string(json, "question", at, &question));
  LES_TRY(get_label(json, "label", at, 0, 2, &doc->gold));
  for (int i = 0; i < 2; i++)
    LES_TRY(add_item(items, at, format("%s\nQuestion: %s?\nAnswer:", passage, question),
                     format(" %s", choices[i]), choices[i]));
  return LES_OK;
}

static char *mmlu_context(const char *subject, const char *question, const cJSON *choices) {
  char *topic = les_rewrite_replace(strdup(subject), "_", " ");
  char *stripped = les_rewrite_strip(strdup(question));
  const char *text[4];
  for (int i = 0; i < 4; i++) text[i] = cJSON_GetArrayItem(choices, i)->valuestring;
  char *context = NULL;
  if (topic && stripped)
    context = format("The following are multiple choice questions (with answers) about %s.\n\n"
                     "%s\nA. %s\nB. %s\nC. %s\nD. %s\nAnswer:",
                     topic, stripped, text[0], text[1], text[2], text[3]);
  free(topic);
  free(stripped);
  return context;
}

/* mmlu/default/_default_template_yaml, and the description of the subject's own file */
static les_status read_mmlu(les_task_items *items, les_task_document *doc, const cJSON *json,
                            les_json_source at) {
  static const char *const letters[] = {"A", "B", "C", "D"};
  const char *subject, *question;
  const cJSON *choices;
  LES_TRY(get_string(json, "subject", at, &subject));
  LES_TRY(get_string(json, "question", at, &question));
  LES_TRY(get_strings(json, "choices", at, &choices));
  if (cJSON_GetArraySize(choices) != 4)
    return FAIL_AT(at, "'choices' has %d entries, not 4", cJSON_GetArraySize(choices));
  LES_TRY(get_label(json, "answer", at, 0, 4, &doc->gold));
  for (int i = 0; i < 4; i++)
    LES_TRY(
        add_item(items, at, mmlu_context(subject, question, choices), format(" %s", letters[i]), letters[i]));
  return LES_OK;
}

/* wikitext/preprocess_wikitext.py: wikitext_detokenizer, step by step */
static char *detokenize_wikitext(char *text) {
  static const char *const before_brackets[][2] = {
      {" @-@ ", "-"}, {" @,@ ", ","}, {" @.@ ", "."}, {" : ", ": "}, {" ; ", "; "},
      {" . ", ". "},  {" ! ", "! "},  {" ? ", "? "},  {" , ", ", "},
  };
  static const char brackets[][2] = {{'(', ')'}, {'[', ']'}, {'{', '}'}, {'"', '"'}, {'\'', '\''}};
  static const char *const after_brackets[][2] = {
      {"= = = =", "===="}, {"= = =", "==="}, {"= =", "=="},  {" \u00b0 ", "\u00b0"},
      {" \n", "\n"},       {"\n ", "\n"},    {" N ", " 1 "}, {" 's", "'s"},
  };
  text = les_rewrite_replace(text, "s '", "s'");
  for (char digit[] = "/' 0/"; digit[3] <= '9'; digit[3]++) /* the pattern's replacement is meant literally */
    text = les_rewrite_replace(text, digit, "/'[0-9]/");
  for (size_t i = 0; i < sizeof before_brackets / sizeof *before_brackets; i++)
    text = les_rewrite_replace(text, before_brackets[i][0], before_brackets[i][1]);
  for (size_t i = 0; i < sizeof brackets / sizeof *brackets; i++)
    text = les_rewrite_tighten(text, brackets[i][0], brackets[i][1]);
  for (size_t i = 0; i < sizeof after_brackets / sizeof *after_brackets; i++)
    text = les_rewrite_replace(text, after_brackets[i][0], after_brackets[i][1]);
  return text;
}

/* wikitext/wikitext.yaml; words and bytes are those of the page as it is in the file. */
static les_status read_wikitext(les_task_items *items, les_task_document *doc, const cJSON *json,
                                les_json_source at) {
  const char *page;
  LES_TRY(get_string(json, "page", at, &page));
  doc->words = les_rewrite_count_words(page);
  doc->bytes = (int64_t)strlen(page);
  char *text = detokenize_wikitext(strdup(page));
  return text && append(items, (les_task_item){.continuation = text}) ? LES_OK : no_memory(at);
}

const les_task_row les_task_rows[] = {
    {"arc_easy", LES_TASK_CHOICE, true, read_arc},
    {"arc_challenge", LES_TASK_CHOICE, true, read_arc},
    {"hellaswag", LES_TASK_CHOICE, true, read_hellaswag},
    {"piqa", LES_TASK_CHOICE, true, read_piqa},
    {"winogrande", LES_TASK_CHOICE, false, read_winogrande},
    {"boolq", LES_TASK_CHOICE, false, read_boolq},
    {"mmlu", LES_TASK_CHOICE, false, read_mmlu},
    {"lambada_openai", LES_TASK_LAST_WORD, false, read_lambada},
    {"wikitext", LES_TASK_PAGE, false, read_wikitext},
};
const int les_n_task_rows = sizeof les_task_rows / sizeof *les_task_rows;
