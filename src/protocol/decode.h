/*
 * From the end of a request to an answer or an error.
 */
#ifndef JIBIT_DECODE_H
#define JIBIT_DECODE_H

#include "base/errors.h"
#include "net/http.h"
#include "protocol/answer.h"
#include "protocol/inquiries.h"
#include "protocol/json.h"

/*
 * Decodes the outcome of an inquiry.  Returns the answer, palloc'd in the
 * current context, or NULL with *error filled.  `secrets` (ended by NULL) are
 * masked in what the service says.  Throws on lack of memory only; may run
 * outside a transaction.
 */
extern JibitAnswer *jibit_decode_inquiry(const JibitInquiry *inquiry,
										 const JibitHttpRequest *request,
										 const char *const *secrets,
										 JibitError *error);

/*
 * Decodes the outcome of a token call: the two tokens, palloc'd in the
 * current context.  Else false with *error filled.
 */
extern bool jibit_decode_tokens(const JibitHttpRequest *request,
								const char *const *secrets,
								char **access_token, char **refresh_token,
								JibitError *error);

#endif /* JIBIT_DECODE_H */
