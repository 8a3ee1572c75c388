/*
 * Lets one of a process's allocations fail, as if there were no memory, or
 * one of its calls into libcurl.
 *
 * For LD_PRELOAD.  CONTROL names a file that holds a struct Control, which a
 * test writes and reads.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define INTERNAL_ERROR 4 /* CURLM_INTERNAL_ERROR */

struct Control
{
	int32_t pid;	 /* of the process, 0 for none */
	int32_t fails;	 /* the one that fails, 0 for none, -1 for all */
	int32_t counted; /* how many there have been */

	/*
	 * A part of a library's name, for the allocations whose caller is in that
	 * library; or the name of a function below.
	 */
	char what[116];
};

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static volatile struct Control *control;

/* Where the code of the library is whose name is in `known`. */
static uintptr_t first, last;
static char known[sizeof(control->what)];

static void __attribute__((constructor)) open_control(void)
{
	int file = open(CONTROL, O_RDWR | O_CLOEXEC);
	void *memory = mmap(NULL, sizeof(struct Control), PROT_READ | PROT_WRITE,
						MAP_SHARED, file, 0);

	if (memory != MAP_FAILED)
		control = memory;
	close(file);
}

static int
is_watched(void)
{
	return control != NULL && control->pid != 0 && control->pid == getpid();
}

static int
fails_now(void)
{
	return ++control->counted == control->fails || control->fails == -1;
}

static int
find_code(struct dl_phdr_info *info, size_t size, void *arg)
{
	if (strstr(info->dlpi_name, known) == NULL)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++)
	{
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];

		if (part->p_type == PT_LOAD && (part->p_flags & PF_X))
		{
			first = info->dlpi_addr + part->p_vaddr;
			last = first + part->p_memsz;
		}
	}
	return 1;
}

static int
is_refused(void *caller)
{
	uintptr_t at = (uintptr_t) caller;

	if (!is_watched())
		return 0;
	if (strcmp(known, (const char *) control->what) != 0)
	{
		strcpy(known, (const char *) control->what);
		first = last = 0;
		dl_iterate_phdr(find_code, NULL);
	}
	if (at < first || at >= last || !fails_now())
		return 0;
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t size)
{
	if (is_refused(__builtin_return_address(0)))
		return NULL;
	return __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	if (is_refused(__builtin_return_address(0)))
		return NULL;
	return __libc_calloc(count, size);
}

void *
realloc(void *old, size_t size)
{
	if (is_refused(__builtin_return_address(0)))
		return NULL;
	return __libc_realloc(old, size);
}

char *
strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy;

	if (is_refused(__builtin_return_address(0)))
		return NULL;
	copy = __libc_malloc(size);
	return copy == NULL ? NULL : memcpy(copy, text, size);
}

/* Does this call fail?  If not, *real is libcurl's function. */
static int
is_broken(const char *function, void *real)
{
	if (is_watched() && strcmp(function, (const char *) control->what) == 0 &&
		fails_now())
		return 1;
	*(void **) real = dlsym(dlopen("libcurl.so.4", RTLD_LAZY), function);
	return 0;
}

int
curl_multi_setopt(void *multi, int option, void *value)
{
	int (*real)(void *, int, ...);

	return is_broken("curl_multi_setopt", &real) ? INTERNAL_ERROR
												 : real(multi, option, value);
}

int
curl_multi_add_handle(void *multi, void *easy)
{
	int (*real)(void *, void *);

	return is_broken("curl_multi_add_handle", &real) ? INTERNAL_ERROR
													 : real(multi, easy);
}

int
curl_multi_remove_handle(void *multi, void *easy)
{
	int (*real)(void *, void *);

	return is_broken("curl_multi_remove_handle", &real) ? INTERNAL_ERROR
														: real(multi, easy);
}

/* Where all calls fail, they do so in silence: nothing happens, as it seems. */
int
curl_multi_socket_action(void *multi, int fd, int events, int *running)
{
	int (*real)(void *, int, int, int *);

	if (is_broken("curl_multi_socket_action", &real))
		return control->fails == -1 ? 0 : INTERNAL_ERROR;
	return real(multi, fd, events, running);
}
