/* A variable of the host's, of which every thread has its own. */
extern __thread int host_counter;

int probe(void)
{
	return host_counter += 2;
}
