/*
 * mask.h
 *		What must not be shown of a text from outside.
 */
#ifndef JIBIT_OFFLINE_MASK_H
#define JIBIT_OFFLINE_MASK_H

/*
 * Masks, in place, what must not be shown of a text from outside: `secrets`
 * (keys and tokens; NULL ends the list), whatever looks like a JWT, and long
 * runs of digits, which may be card numbers, IBANs or national codes, with
 * blanks, dashes and invisible marks between them or not.  Control characters
 * become blanks.
 */
extern void jibit_mask_text(char *text, const char *const *secrets);

#endif
