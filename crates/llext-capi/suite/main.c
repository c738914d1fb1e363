/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* LLEXT's tests, and what they leave out, as a program against libllext.a: a row for each, and the sums. */
#include "suite.h"

static const char *folder;
static int passed, failed, ok;

void fail(const char *file, int line, const char *what)
{
	printf("%s:%d: %s\n", file, line, what);
	ok = 0;
}

void fail_equal(const char *file, int line, const char *what, long long found, long long expected)
{
	printf("%s:%d: %s is %lld, expected %lld (last in the log: %d, %s)\n", file, line, what, found, expected,
	       logged_number, logged);
	ok = 0;
}

const char *path_of(const char *name)
{
	static char path[4][512];
	static int next;

	next = (next + 1) % 4;
	snprintf(path[next], sizeof(path[next]), "%s/%s", folder, name);
	return path[next];
}

struct file slurp(const char *name)
{
	struct file file = { NULL, 0 };
	FILE *stream = fopen(path_of(name), "rb");

	if (!stream || fseek(stream, 0, SEEK_END) != 0) {
		perror(path_of(name));
		exit(2);
	}
	file.size = (size_t)ftell(stream);
	file.bytes = (uint8_t *)take_memory(file.size);
	rewind(stream);
	if (!file.bytes || fread(file.bytes, 1, file.size, stream) != file.size) {
		perror(path_of(name));
		exit(2);
	}
	fclose(stream);
	return file;
}

void drop(struct file *file)
{
	give_back(file->bytes, file->size);
	file->bytes = NULL;
}

int load(const char *name, const char *as, struct llext **ext)
{
	struct file file = slurp(name);
	struct llext_buf_loader loader = LLEXT_TEMPORARY_BUF_LOADER(file.bytes, file.size);
	int loaded = llext_load(&loader.loader, as, ext, NULL);

	/* Nothing of a temporary buffer is used afterwards. */
	memset(file.bytes, 0xa5, file.size);
	drop(&file);
	return loaded;
}

static void *heap;
static size_t heap_size;

int give_heap(size_t bytes)
{
	heap = take_memory(bytes);
	heap_size = bytes;
	return llext_heap_init(heap, bytes);
}

int take_heap(void)
{
	int taken = llext_heap_uninit();

	if (taken == 0 || taken == -ENOSYS) {
		give_back(heap, heap_size);
	}
	return taken;
}

int call(struct llext *ext, const char *name, int count, const int *arguments)
{
	const void *symbol = llext_find_sym(&ext->exp_tab, name);
	int (*function)(int, int, int, int);

	if (!symbol) {
		fail(__FILE__, __LINE__, name);
		return -1;
	}
	memcpy(&function, &symbol, sizeof(function));
	return function(count > 0 ? arguments[0] : 0, count > 1 ? arguments[1] : 0, count > 2 ? arguments[2] : 0,
			count > 3 ? arguments[3] : 0);
}

int probe(struct llext *ext)
{
	return call(ext, "probe", 0, NULL);
}

/* What a test that failed has left, so that the next one begins anew. */
static int take_away(struct llext *ext, void *arg)
{
	printf("left: %s, used %u times\n", ext->name, ext->use_count);
	++*(int *)arg;
	while (ext && llext_unload(&ext) > 0) {
	}
	return 0;
}

/* Every test begins with an empty heap, and must leave it empty. */
void run(const char *name, void (*test)(void))
{
	int left = 0, given;

	ok = 1;
	traces = logs = 0;
	printed[0] = logged[0] = 0;
	while_applied = NULL;
	given = give_heap(1 << 20);
	if (given != 0 && given != -ENOSYS) {
		fail_equal(__FILE__, __LINE__, "heap_init", given, 0);
	}
	test();
	llext_iterate(take_away, &left);
	if (left > 0) {
		fail(__FILE__, __LINE__, "an extension is left");
	}
	if (take_heap() != given) {
		fail(__FILE__, __LINE__, "memory is left");
	}
	printf("test %s ... %s\n", name, ok ? "ok" : "FAILED");
	fflush(stdout);
	*(ok ? &passed : &failed) += 1;
}

void leave_out(const char *name, const char *why)
{
	printf("test %s ... ignored, %s\n", name, why);
}

static void run_all(const struct test *tests)
{
	for (; tests->name; tests++) {
		if (tests->left_out) {
			leave_out(tests->name, tests->left_out);
		} else {
			run(tests->name, tests->run);
		}
	}
}

void hear(int error, const char *line)
{
	logged_number = error;
	snprintf(logged, sizeof(logged), "%s", line);
	logs++;
}

int main(int count, char **arguments)
{
	if (count < 2) {
		fprintf(stderr, "usage: suite FOLDER\n");
		return 2;
	}
	/* An emulator gives its firmware's name as well. */
	folder = arguments[count - 1];
	llext_set_log_hook(hear);
#ifdef CONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID
	run_all(SLID_TESTS);
	run_all(COMPRESSION_TESTS);
#else
	run_listed(path_of("list"));
	run_all(API_TESTS);
	run_all(INSPECT_TESTS);
	run_all(STORAGE_TESTS);
	run_all(GUARANTEE_TESTS);
	run_all(REENTRY_TESTS);
	run_all(FAILURE_TESTS);
	run_all(SAVING_TESTS);
	run_all(CHOICE_TESTS);
	run_all(COMPRESSION_TESTS);
	run_all(THREAD_TESTS);
#endif
	printf("%d passed, %d failed\n", passed, failed);
	return failed > 0;
}
