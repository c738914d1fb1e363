int counter(void);
int second(int value);
int third(void);
