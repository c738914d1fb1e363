/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Loading, finding, counting, running, unloading. */
#include "suite.h"

static void uses_are_counted(void)
{
	struct llext *first, *second, *third;

	EQUAL(load("hello.o", "hello", &first), 0);
	EQUAL(load("object-export.o", "hello", &second), 1);
	EQUAL(load("hello.o", "hello", &third), 2);
	CHECK(first == second && second == third);
	EQUAL(first->use_count, 3);
	CHECK(strcmp(first->name, "hello") == 0 && llext_by_name("hello") == first);
	EQUAL(llext_unload(&third), 2);
	EQUAL(llext_unload(&second), 1);
	CHECK(second == first);
	EQUAL(llext_unload(&first), 0);
	CHECK(first == NULL && llext_by_name("hello") == NULL);
}

static void hello_world(void)
{
	struct llext *ext;

	EQUAL(load("hello.o", "hello", &ext), 0);
	EQUAL(probe(ext), 1);
	CHECK(strcmp(printed, "hello, world") == 0);
	EQUAL(llext_unload(&ext), 0);
}

/* Nothing runs by itself; preinit, init, entry and fini leave 0x1234. */
static void init_fini(void)
{
	struct llext *ext;
	const int *number;

	EQUAL(load("init-fini.o", "init_fini", &ext), 0);
	number = (const int *)llext_find_sym(&ext->exp_tab, "number");
	CHECK(number && *number == 0);
	EQUAL(llext_bringup(ext), 0);
	EQUAL(probe(ext), 0x123);
	EQUAL(llext_teardown(ext), 0);
	EQUAL(*number, 0x1234);
	EQUAL(llext_bringup(ext), -EINVAL);
	EQUAL(llext_teardown(ext), -EINVAL);
	EQUAL(llext_unload(&ext), 0);
	EQUAL(traces, 4);
}

static struct llext *started;

static void entry(void *number)
{
	*(int *)number = probe(started);
}

static void bootstrap(void)
{
	int number = 0;

	EQUAL(load("init-fini.o", "boot", &started), 0);
	llext_bootstrap(started, entry, &number);
	EQUAL(number, 0x123);
	EQUAL(*(const int *)llext_find_sym(&started->exp_tab, "number"), 0x1234);
	llext_bootstrap(started, entry, &number);
	EQUAL(logged_number, -EINVAL);
	EQUAL(llext_unload(&started), 0);
}

static void fn_table_entries(void)
{
	struct llext *ext;
	void *function = NULL;

	EQUAL(load("init-fini.o", "table", &ext), 0);
	EQUAL(llext_get_fn_table_entry(ext, true, NULL, 0), 2);
	EQUAL(llext_get_fn_table_entry(ext, false, NULL, 0), 1);
	for (size_t at = 0; at < 2; at++) {
		void (*run)(void);

		EQUAL(llext_get_fn_table_entry(ext, true, &function, at), 0);
		memcpy(&run, &function, sizeof(run));
		run();
	}
	EQUAL(traced[1], 0x12);
	EQUAL(llext_get_fn_table_entry(ext, true, &function, 2), -EINVAL);
	EQUAL(llext_unload(&ext), 0);
}

static void object(void)
{
	struct llext *ext;
	const void *symbol;
	int *number;

	EQUAL(load("object-export.o", "object", &ext), 0);
	symbol = llext_find_sym(&ext->exp_tab, "number");
	memcpy(&number, &symbol, sizeof(number));
	CHECK(number && *number == 42);
	*number = 7;
	EQUAL(call(ext, "read_number", 0, NULL), 7);
	EQUAL(llext_unload(&ext), 0);
}

static void exports_are_sorted(void)
{
	struct llext *ext;

	EQUAL(load("object-export.o", "sorted", &ext), 0);
	EQUAL(ext->exp_tab.sym_cnt, 4);
	for (size_t at = 0; at < ext->exp_tab.sym_cnt; at++) {
		const struct llext_symbol *symbol = &ext->exp_tab.syms[at];

		CHECK(llext_find_sym(&ext->exp_tab, symbol->name) == symbol->addr);
		CHECK(at == 0 || strcmp(symbol[-1].name, symbol->name) < 0);
	}
	CHECK(llext_find_sym(&ext->exp_tab, "numbe") == NULL);
	EQUAL(llext_unload(&ext), 0);
}

static void call_fn(void)
{
	struct llext *ext;

	EQUAL(load("hello.o", "call", &ext), 0);
	EQUAL(llext_call_fn(ext, "probe"), 0);
	CHECK(strcmp(printed, "hello, world") == 0);
	EQUAL(llext_call_fn(ext, "no such function"), -ENOENT);
	EQUAL(llext_unload(&ext), 0);
}

static void builtins_are_found(void)
{
	static const struct llext_symbol entries[] = { { "b", &logs }, { "a", &traces } };
	struct llext_symtable own = { 2, NULL };
	int (*add)(int, int) = host_add;
	const void *expected;

	memcpy(&expected, &add, sizeof(expected));
	CHECK(llext_find_sym(NULL, "host_add") == expected && llext_find_sym(NULL, "host_plus") == expected);
	CHECK(llext_find_sym(NULL, "host_number") != NULL && llext_find_sym(NULL, "printk") == NULL);
	memcpy(&own.syms, &(const void *){ entries }, sizeof(own.syms));
	CHECK(llext_find_sym(&own, "a") == &traces && llext_find_sym(&own, "c") == NULL);
}

static void ext_syscall_fail_is_null(void)
{
	CHECK(llext_find_sym(NULL, "ext_syscall_fail") == NULL);
}

static void extensions_use_each_other(void)
{
	struct llext *app, *math, *again;
	const int sides[] = { 3, 4 };

	EQUAL(load("app.o", "app", &app), -ENODATA);
	CHECK(app == NULL && logs > 0);
	EQUAL(load("math.o", "math", &math), 0);
	EQUAL(load("app.o", "app", &app), 0);
	CHECK(app->dependency[0] == math && app->dependency[1] == NULL);
	EQUAL(math->use_count, 2);
	EQUAL(call(app, "area", 2, sides), 12);
	EQUAL(load("math.o", "math", &again), 2);
	EQUAL(llext_unload(&again), 2);
	EQUAL(llext_unload(&app), 0);
	EQUAL(math->use_count, 1);
	EQUAL(llext_unload(&math), 0);
}

/* Whoever provides symbols stays as long as they are used, whatever C unloads. */
static void a_provider_goes_last(void)
{
	struct llext *app, *math, *stale;
	const int sides[] = { 3, 4 };

	EQUAL(load("math.o", "math", &math), 0);
	EQUAL(load("app.o", "app", &app), 0);
	stale = math;
	EQUAL(llext_unload(&math), 1);
	EQUAL(llext_unload(&stale), -EINVAL);
	CHECK(llext_by_name("math") == stale);
	EQUAL(call(app, "area", 2, sides), 12);
	EQUAL(llext_unload(&app), 0);
	CHECK(llext_by_name("math") == NULL);
	EQUAL(stale->use_count, 0);
}

static int visit(struct llext *ext, void *arg)
{
	char *names = (char *)arg;

	strcat(names, ext->name);
	return strcmp(ext->name, "two") == 0 ? 7 : 0;
}

static void iterate(void)
{
	struct llext *one, *two, *three;
	char names[40] = "";

	EQUAL(llext_iterate(visit, names), 0);
	EQUAL(load("hello.o", "one", &one), 0);
	EQUAL(load("hello.r", "three", &three), 0);
	EQUAL(llext_iterate(visit, names), 0);
	EQUAL(load("hello.so", "two", &two), 0);
	CHECK(strcmp(names, "onethree") == 0);
	names[0] = 0;
	EQUAL(llext_iterate(visit, names), 7);
	CHECK(strcmp(names, "onethreetwo") == 0);
	EQUAL(llext_unload(&one), 0);
	EQUAL(llext_unload(&two), 0);
	EQUAL(llext_unload(&three), 0);
}

static void parameters_that_cannot_be(void)
{
	struct file file = slurp("hello.o");
	struct llext_buf_loader loader = LLEXT_TEMPORARY_BUF_LOADER(file.bytes, file.size);
	struct llext_load_param param = LLEXT_LOAD_PARAM_DEFAULT;
	struct llext *ext;

	param.relocate_local = false;
	EQUAL(llext_load(&loader.loader, "hello", &ext, &param), -ENOTSUP);
	param = (struct llext_load_param)LLEXT_LOAD_PARAM_DEFAULT;
	param.pre_located = true;
	EQUAL(llext_load(&loader.loader, "hello", &ext, &param), -EFAULT);
	EQUAL(load("hello.o", "hello", &ext), 0);
	EQUAL(llext_add_domain(ext, NULL), -ENOSYS);
	EQUAL(llext_unload(&ext), 0);
	drop(&file);
}

/* Code calls what lies farther away than a branch reaches, where the heap lies that far from the program. */
static void veneers_reach_the_host(void)
{
	struct llext *ext;
	uintptr_t code, host;
	const void *function;
	const int value[] = { 5 };
	int (*const add)(int, int) = host_add;

	EQUAL(load("function-pointers.o", "far", &ext), 0);
	function = ext->mem[LLEXT_MEM_TEXT];
	code = (uintptr_t)function;
	memcpy(&host, &add, sizeof(host));
	printf("%#llx bytes from code to host\n", (unsigned long long)(code > host ? code - host : host - code));
#if UINTPTR_MAX > 0xffffffffu && !defined(WITH_STD)
	CHECK((code > host ? code - host : host - code) > 0x80000000u);
#endif
	EQUAL(call(ext, "by_callback", 1, value), 10);
	EQUAL(llext_unload(&ext), 0);
}

TESTS(API_TESTS, TEST(veneers_reach_the_host), TEST(uses_are_counted), TEST(hello_world), TEST(init_fini), TEST(bootstrap), TEST(fn_table_entries),
      TEST(object), TEST(exports_are_sorted), TEST(call_fn), TEST(builtins_are_found), TEST(ext_syscall_fail_is_null),
      TEST(extensions_use_each_other), TEST(a_provider_goes_last), TEST(iterate), TEST(parameters_that_cannot_be));
