//! about: debug sections, compressed ones too, and their relocations are left alone
//! flags: -g -gz
//! shows[o]: .debug_info SHF_COMPRESSED
//! call: probe(5) = 25
struct point {
	int x, y;
};

static int square(struct point point) { return point.x * point.y; }

int probe(int side)
{
	struct point point = {side, side};
	return square(point);
}
