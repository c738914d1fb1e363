/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Files that are LZ4 frames: made by the program lz4, and damaged in every place. */
#include "suite.h"

static int load_as(const struct file *file, enum llext_compression_type type, bool is_shown, const char *name,
		   struct llext **ext)
{
	struct llext_load_param param = LLEXT_LOAD_PARAM_DEFAULT;
	struct llext_buf_loader loader = LLEXT_TEMPORARY_BUF_LOADER(file->bytes, file->size);

	param.compression_type = type;
	if (!is_shown) {
		loader.loader.peek = NULL;
	}
	return llext_load(&loader.loader, name, ext, &param);
}

/* Of the library's other builds no type is known. */
static void compression_is_a_choice(void)
{
	struct file file = slurp("hello.o");
	struct llext *ext;

	EQUAL(load_as(&file, (enum llext_compression_type)7, true, "other", &ext), -EINVAL);
#ifdef WITH_LZ4
	EQUAL(load_as(&file, LLEXT_COMPRESSION_TYPE_LZ4, true, "other", &ext), -EIO);
#else
	EQUAL(load_as(&file, LLEXT_COMPRESSION_TYPE_LZ4, true, "other", &ext), -EINVAL);
#endif
	CHECK(ext == NULL);
	drop(&file);
}

#ifndef WITH_LZ4

TESTS(COMPRESSION_TESTS, TEST(compression_is_a_choice));

#elif !WITH_LZ4
#define NO_FRAMES(name) LEFT_OUT(name, "the program lz4 is missing")

TESTS(COMPRESSION_TESTS, TEST(compression_is_a_choice), NO_FRAMES(frames_load), NO_FRAMES(frames_of_many_blocks),
      NO_FRAMES(frames_are_cut_off), NO_FRAMES(frames_have_a_wrong_bit), NO_FRAMES(frames_without_a_checksum),
      NO_FRAMES(frames_say_another_size), NO_FRAMES(frames_need_memory), NO_FRAMES(code_of_a_frame_lies_apart));

#else

/* Emulated processors take their time: they get one bit in this many wrong. */
#ifdef __linux__
#define STEP 1
#else
#define STEP 11
#endif

static int load_frame(const struct file *frame, bool is_shown, struct llext **ext)
{
	return load_as(frame, LLEXT_COMPRESSION_TYPE_LZ4, is_shown, "compressed", ext);
}

/* What a load says, and, if that is 0, its end. */
static int try_frame(const struct file *frame, bool is_shown)
{
	struct llext *ext;
	int loaded = load_frame(frame, is_shown, &ext);

	return loaded == 0 ? llext_unload(&ext) : loaded;
}

/* What an extension takes of the heap: where its code can run there, its file's contents as well. */
static void takes(const struct llext *ext, const char *plain)
{
	struct file file = slurp(plain);
	size_t size = ext->alloc_size;
	struct llext *other;

	EQUAL(load_as(&file, LLEXT_COMPRESSION_TYPE_NONE, true, "other", &other), 0);
#ifdef __linux__
	EQUAL(size, other->alloc_size);
#else
	CHECK(size > file.size);
#endif
	EQUAL(llext_unload(&other), 0);
	drop(&file);
}

/* Loads what came of a file, which the extension does not need afterwards, and uses it. */
static void use(const char *name, const char *plain, bool is_shown)
{
	struct file frame = slurp(name);
	struct llext *ext, *again;

	EQUAL(load_frame(&frame, is_shown, &ext), 0);
	EQUAL(load_frame(&frame, is_shown, &again), 1);
	CHECK(again == ext);
	memset(frame.bytes, 0xa5, frame.size);
	takes(ext, plain);
	EQUAL(probe(ext), 1);
	CHECK(strcmp(printed, "hello, world") == 0);
#ifndef WITH_STD
	EQUAL(llext_heap_uninit(), -EBUSY);
#endif
	EQUAL(llext_unload(&again), 1);
	EQUAL(llext_unload(&ext), 0);
	drop(&frame);
}

static void frames_load(void)
{
#ifndef CONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID
	use("hello.r.lz4", "hello.r", true);
	use("hello.r.lz4", "hello.r", false);
	use("hello.so.lz4", "hello.so", true);
	use("hello.so.lz4", "hello.so", false);
#endif
	use("hello.lz4", "plain", true);
	use("hello.lz4", "plain", false);
}

/* Some of them refer to others, or have checksums; some are not compressed. */
static void frames_of_many_blocks(void)
{
	use("large.lz4", "large", true);
	use("large.lz4", "large", false);
	use("linked.lz4", "large", true);
	use("linked.lz4", "large", false);
}

static void frames_are_cut_off(void)
{
	struct file frame = slurp("hello.lz4"), unsized = slurp("unsized.lz4");
	const size_t whole = frame.size;

	for (frame.size = 0; frame.size < whole; frame.size += STEP) {
		EQUAL(try_frame(&frame, true), -EINVAL);
		EQUAL(try_frame(&frame, false), -EINVAL);
	}
	frame.size = whole;
	EQUAL(try_frame(&frame, true), 0);
	EQUAL(try_frame(&unsized, true), -EINVAL);
	drop(&unsized);
	drop(&frame);
}

/* What passes is right: a reference to other bytes, which are the same. */
static void frames_have_a_wrong_bit(void)
{
	struct file frame = slurp("hello.lz4");
	int refused = 0, passed = 0;

	for (size_t bit = 0; bit < frame.size * 8; bit += STEP) {
		struct llext *ext;
		int loaded;

		frame.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		loaded = load_frame(&frame, bit % 2, &ext);
		frame.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (loaded < 0) {
			CHECK(loaded == -EIO || loaded == -EINVAL);
			refused++;
		} else {
			EQUAL(probe(ext), 1);
			EQUAL(llext_unload(&ext), 0);
			passed++;
		}
	}
	CHECK(refused > 4 * passed);
	EQUAL(try_frame(&frame, true), 0);
	drop(&frame);
}

/* Then only the linker looks at what came, and some of it may pass. */
static void frames_without_a_checksum(void)
{
	struct file frame = slurp("unchecked.lz4");
	int refused = 0, passed = 0;

	for (size_t bit = 0; bit < frame.size * 8; bit += STEP) {
		frame.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		*(try_frame(&frame, bit % 2) < 0 ? &refused : &passed) += 1;
		frame.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	CHECK(refused > 100 && passed > 0);
	EQUAL(try_frame(&frame, true), 0);
	drop(&frame);
}

#define SIZE_AT 6
#define CHECK_AT 14

/* Whatever the header says, with whatever check of it: with one of them it counts, and then `expected` comes. */
static void with_size(struct file *frame, uint64_t size, int expected)
{
	int counted = 0;

	for (int byte = 0; byte < 8; byte++) {
		frame->bytes[SIZE_AT + byte] = (uint8_t)(size >> 8 * byte);
	}
	for (int check = 0; check < 256; check++) {
		int loaded;

		frame->bytes[CHECK_AT] = (uint8_t)check;
		loaded = try_frame(frame, true);
		CHECK(loaded == -EIO || loaded == expected);
		counted += strstr(logged, "damaged") == NULL;
	}
	EQUAL(counted, expected == -EIO ? 0 : 1);
}

static void frames_say_another_size(void)
{
	struct file frame = slurp("hello.lz4");
	uint64_t size = 0;

	for (int byte = 0; byte < 8; byte++) {
		size |= (uint64_t)frame.bytes[SIZE_AT + byte] << 8 * byte;
	}
	with_size(&frame, size - 1, -EIO);
	with_size(&frame, size + 1, -EIO);
	with_size(&frame, 1u << 20, -ENOMEM);
	with_size(&frame, (uint64_t)1 << 31, -ENOMEM);
	with_size(&frame, (uint64_t)1 << 32, -ENOMEM);
	with_size(&frame, (uint64_t)1 << 63, -ENOMEM);
	with_size(&frame, UINT64_MAX, -ENOMEM);
	drop(&frame);
}

/* A heap of every size: too small for the contents, for a block of them, for the extension. */
static void frames_need_memory(void)
{
	struct file frame = slurp("hello.lz4");
	int refused = 0, loaded = -1;

	EQUAL(take_heap(), 0);
	for (size_t size = 0; loaded < 0; size += 64) {
		EQUAL(give_heap(size + 1), 0);
		loaded = try_frame(&frame, size / 64 % 2);
		if (loaded < 0) {
			EQUAL(loaded, -ENOMEM);
			refused++;
		}
		EQUAL(take_heap(), 0);
	}
	CHECK(refused > 20);
	EQUAL(give_heap(1 << 20), 0);
	drop(&frame);
}

/* Contents lie with the data, where code may not be able to run. */
static void code_of_a_frame_lies_apart(void)
{
	struct file frame = slurp("hello.lz4");
	const size_t half = 1 << 16;
	uint8_t *both = (uint8_t *)take_memory(2 * half);
	struct llext *ext;

	EQUAL(take_heap(), 0);
	EQUAL(llext_heap_init_harvard(both, half, both + half, half), 0);
	EQUAL(load_frame(&frame, true, &ext), 0);
	CHECK((uintptr_t)llext_find_sym(&ext->exp_tab, "probe") - (uintptr_t)both < half);
	EQUAL(probe(ext), 1);
	EQUAL(llext_unload(&ext), 0);
	EQUAL(llext_heap_uninit(), 0);
	give_back(both, 2 * half);
	EQUAL(give_heap(1 << 20), 0);
	drop(&frame);
}

TESTS(COMPRESSION_TESTS, TEST(compression_is_a_choice), TEST(frames_load), TEST(frames_of_many_blocks), TEST(frames_are_cut_off),
      TEST(frames_have_a_wrong_bit), TEST(frames_without_a_checksum), TEST(frames_say_another_size), TEST(frames_need_memory),
      TEST(code_of_a_frame_lies_apart));

#endif
