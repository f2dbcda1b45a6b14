/* From the outcomes of a cell to its record: the measures of the study, field by field. One function for a
 * cell whose prompt is continued, one for a cell whose document is scored; which of them is a cell's, its
 * column says (column.h). Nothing is drawn or kept, so a record depends on its arguments alone. */
#ifndef LES_JOB_RECORD_H
#define LES_JOB_RECORD_H

#include "data/prompts.h"
#include "data/task.h"
#include "engine/engine.h"
#include "measure/field.h"

/* What the records of a study have in common. */
typedef struct les_recorder les_recorder;

/* Collects the words of all prompts, if the layout has the measure that needs them. greedy: continuations are
 * not sampled. Model and layout are borrowed. */
les_status les_recorder_open(les_recorder **out, const les_model *model, const les_record_layout *layout,
                             const les_prompts *prompts, bool greedy);
void les_recorder_close(les_recorder **r);

/* Fills the record of a prompt from its outcome. */
les_status les_record_prompt(const les_recorder *r, const les_prompt *prompt, const les_outcome *outcome,
                             void *record);

/* Fills the record of a document of a task from the log-likelihoods of its requests, in their order. */
les_status les_record_document(const les_recorder *r, const les_task *task, int document,
                               const les_loglik *logliks, void *record);

#endif
