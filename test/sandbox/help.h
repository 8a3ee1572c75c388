/*
 * help.h
 *		What --help and --faults print.
 */
#ifndef SANDBOX_HELP_H
#define SANDBOX_HELP_H

extern void help_print(void);
extern void help_print_faults(void);

#endif
