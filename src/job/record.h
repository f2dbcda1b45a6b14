/* From what a run gives to the record of its cell: the measures of the study, field by field. */
#ifndef LES_JOB_RECORD_H
#define LES_JOB_RECORD_H

#include "engine/engine.h"
#include "job/study.h"

typedef struct les_recorder les_recorder;

/* Collects what measures need of the whole study: the words of its prompts. `study` is borrowed. */
les_status les_recorder_open(les_recorder **out, const les_study *study);
void les_recorder_close(les_recorder **r);

/* What the study's measures ask of the run of a prompt (LES_WANT_ flags). */
unsigned les_recorder_wants(const les_recorder *r);

/* Fills the record (study->layout) of a prompt's cell. */
les_status les_record_prompt(const les_recorder *r, const les_outcome *outcome, void *record);

/* Fills the record of a document's cell from the answers to its requests, in their order. */
les_status les_record_document(const les_recorder *r, const les_prompt *document, const les_loglik *answers,
                               void *record);

#endif
