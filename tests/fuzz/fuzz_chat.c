/* Chat templates: whatever the bytes, a text or an error, no crash and no endless work. */
#include "fuzz.h"
#include "token/jinja.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  static const char variables[] =
      "{\"messages\": [{\"role\": \"system\", \"content\": \" s\"}, {\"role\": \"user\", \"content\": "
      "\"\\u00e9 <a>\"}],"
      " \"bos_token\": \"<s>\", \"eos_token\": \"</s>\", \"add_generation_prompt\": true, \"tools\": null,"
      " \"n\": 3, \"x\": 1.5, \"words\": [\"b\", \"A\", \"c\"], \"d\": {\"k\": [1, null, true]}}";
  les_jinja *template;
  les_buffer text = {0};
  cJSON *values = cJSON_Parse(variables);
  if (values && les_jinja_open(&template, (const char *)data, n) == LES_OK) {
    fuzz_taken++;
    (void)les_jinja_render(template, values, &text);
    les_jinja_close(&template);
  }
  les_buffer_free(&text);
  cJSON_Delete(values);
  return 0;
}
