//! about: an exported object is read and written by the host and by the extension alike
//! call: read_number() = 42
//! object: number = 42
//! store: number = 7
//! call: read_number() = 7
//! call: add_to_number(3) = 10
//! object: number = 10
//! object: constant = 5
//! exports: number constant read_number add_to_number
int number = 42;
extern const int constant;
const int constant = 5;

int read_number(void) { return number; }
int add_to_number(int value) { return number += value; }
