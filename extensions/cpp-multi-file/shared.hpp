/* What both files use, so that each holds a copy of its own. */
inline int counted()
{
	static int calls;
	return ++calls;
}

struct Shape {
	virtual int area() const { return 0; }
	virtual int edges() const { return 4; }
};

struct Square : Shape {
	int side;
	explicit Square(int side) : side(side) {}
	int area() const override { return side * side; }
};

int second_file(const Shape &shape);
const Shape &second_files_shape();
