int provider_twice(int value) { return 2 * value; }
