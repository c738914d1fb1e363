//! about: virtual calls through base pointers, weak vtables, two bases with thunks, a deleting destructor
//! flags: -std=c++17 -fno-exceptions -fno-rtti
//! shows[o]: COMDAT
//! call: probe(0) = 9
//! call: probe(1) = 6
//! call: second_base() = 106
//! call: deleted() = 1
struct Shape {
	virtual int area() const = 0;
	virtual ~Shape() {}
};

struct Named {
	virtual int name() const { return 1; }
	virtual ~Named() {}
};

static int deletions;

struct Square : Shape {
	int side = 3;
	int area() const override { return side * side; }
};

struct Rectangle : Shape, Named {
	int width = 2, height = 3;
	int area() const override { return width * height; }
	int name() const override { return 100 + area(); }
	~Rectangle() override { deletions++; }
};

alignas(16) static char storage[64];
void *operator new(decltype(sizeof 0)) { return storage; }
void operator delete(void *) noexcept {}
void operator delete(void *, decltype(sizeof 0)) noexcept {}
extern "C" void __cxa_pure_virtual() { __builtin_trap(); }

static Shape *volatile shape;
static Named *volatile named;

extern "C" int probe(int which)
{
	Square square;
	Rectangle rectangle;
	shape = which ? static_cast<Shape *>(&rectangle) : static_cast<Shape *>(&square);
	return shape->area();
}

extern "C" int second_base()
{
	Rectangle rectangle;
	named = &rectangle;
	return named->name();
}

extern "C" int deleted()
{
	deletions = 0;
	named = new Rectangle;
	delete named;
	return deletions;
}
