int number = 2;

int chosen(void) { return 10; }
