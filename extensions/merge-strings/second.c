static const char *volatile texts[] = {"a string too", "a tail of this string is a string too"};

int second(int which) { return which ? texts[1][2] != 't' : texts[0][0] != 'a'; }
