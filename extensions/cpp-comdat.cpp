//! about: inline functions, templates and inline statics come in COMDAT groups, as weak or unique symbols
//! flags: -std=c++17 -fno-exceptions -fno-rtti -fno-threadsafe-statics
//! shows[o r-ld]: COMDAT STB_WEAK
//! shows[gcc+o gcc+r-ld]: STB_GNU_UNIQUE
//! call: probe(4) = 22
//! call: calls() = 1
//! call: calls() = 2
template <typename T> struct Pair {
	T first, second;
	T sum() const { return first + second; }
};

template <typename T> __attribute__((noinline)) T twice(T value) { return value + value; }

inline int counted()
{
	static int calls;
	return ++calls;
}

inline int shared = 10;

extern "C" int probe(int value)
{
	Pair<int> pair = {value, twice(value)};
	return pair.sum() + shared;
}

extern "C" int calls() { return counted(); }
