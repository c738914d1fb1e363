//! about: copies of one COMDAT group in two C++ files become one: one static, one weak vtable
//! files: second.cpp
//! kinds: r so (one object holds one file)
//! flags: -std=c++17 -fno-exceptions -fno-rtti -fno-threadsafe-statics
//! call: probe() = 1
//! call: dispatch() = 13
#include "shared.hpp"

/* 1 + 2 + 3 only when both files count in the same variable */
extern "C" int probe()
{
	int first = counted();
	int second = second_file(Square(0)) - 4;
	return first == 1 && second == 2 && counted() == 3;
}

extern "C" int dispatch() { return second_files_shape().area() + second_files_shape().edges(); }
