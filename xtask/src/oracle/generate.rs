//! Large C sources, made by a generator that always makes the same: what compilers turn into relocations, hundreds of
//! times, in an order that no person would think of.

use std::fmt::Write;

/// One source of `functions` functions; another seed, another source.
pub(super) fn source(seed: u64, functions: usize) -> String {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut text = HEAD.to_owned();
    let names: Vec<String> = (0..functions).map(|index| format!("s{seed}_function_{index}")).collect();
    for name in &names {
        let _ = writeln!(text, "{}int {name}(int a, int b);", random.pick(LINKAGES));
    }
    for index in 0..functions / 4 {
        data(&mut text, &mut random, &names, seed, index);
    }
    for name in &names {
        function(&mut text, &mut random, &names, seed, name);
    }
    // Static functions that nobody calls would vanish.
    let _ = writeln!(text, "int (*const s{seed}_all[])(int, int) = {{{}}};", names.join(", "));
    text
}

const HEAD: &str = "\
typedef unsigned long word;
struct node { struct node *next; const char *text; int (*function)(int, int); word size; char *middle; };
extern int ext_function_0(int, int), ext_function_1(int, int), ext_function_2(int, int), ext_function_3(int, int);
extern int ext_function_4(int, int), ext_function_5(int, int), ext_function_6(int, int), ext_function_7(int, int);
extern void ext_print(const char *, ...);
extern int ext_data_0, ext_data_1, ext_data_2[16];
extern struct node ext_node;
extern int weak_function_0(int, int) __attribute__((weak)), weak_function_1(int, int) __attribute__((weak));
extern int weak_function_2(int, int) __attribute__((weak)), weak_function_3(int, int) __attribute__((weak));
extern int weak_data_0 __attribute__((weak)), weak_data_1 __attribute__((weak));
#ifdef UNALIGNED
#define ALIGNED
#else
#define ALIGNED __attribute__((aligned(32)))
#endif
#ifndef SHARED
#pragma GCC visibility push(hidden)
#endif
extern int hidden_function(int, int), hidden_data;
#ifndef SHARED
#pragma GCC visibility pop
#endif
";

/// How functions are declared, the commonest repeated.
const LINKAGES: &[&str] = &[
    "",
    "",
    "static ",
    "static ",
    "static __attribute__((noinline)) ",
    "__attribute__((noinline)) ",
    "__attribute__((weak)) ",
    "__attribute__((visibility(\"hidden\"))) ",
    "__attribute__((section(\".text.placed\"))) ",
    "ALIGNED ",
    "__attribute__((cold)) ",
];

/// Variables of every kind, the same names for each index.
fn data(text: &mut String, random: &mut Random, names: &[String], seed: u64, index: usize) {
    let (one, other) = (random.pick(names), random.pick(names));
    let n = format!("s{seed}_{index}");
    let at = random.below(15) + 1;
    let _ = write!(
        text,
        "int number_{n} = {at}; static int counter_{n}; char buffer_{n}[{}]; int common_{n}[{at}];
const double real_{n}[] = {{{at}.25, {index}.5}}; static const char letters_{n}[] = \"letters {n}\";
static int array_{n}[] = {{1, 2, 3, {index}, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
static int *const inside_{n}[] = {{&array_{n}[{at}], &array_{n}[0], &ext_data_2[{at}], &number_{n}, &counter_{n}}};
int (*const table_{n}[])(int, int) = {{{one}, {other}, ext_function_{}, weak_function_{}}};
static int (*changing_{n})(int, int) = {other};
struct node node_{n} = {{&ext_node, \"text of {n}\", {one}, sizeof(struct node), buffer_{n} + {at}}};
static struct node own_{n} __attribute__((section(\".data.placed\"), used)) =
\t{{&node_{n}, letters_{n} + 3, ext_function_{}, (word)&array_{n}[2], (char *)&ext_data_2 - {at}}};
",
        random.below(900) + 1,
        random.below(8),
        random.below(4),
        random.below(8),
    );
}

fn function(text: &mut String, random: &mut Random, names: &[String], seed: u64, name: &str) {
    let _ = writeln!(text, "int {name}(int a, int b)\n{{\n\tint x = a + {};", random.below(70000));
    for _ in 0..random.below(6) + 2 {
        statement(text, random, names, seed);
    }
    let _ = match random.below(4) {
        0 => writeln!(text, "\treturn {}(x, b);\n}}", random.pick(names)),
        1 => writeln!(text, "\treturn ext_function_{}(b, x);\n}}", random.below(8)),
        2 => writeln!(text, "\treturn x > b ? {}(b, a) : x;\n}}", random.pick(names)),
        _ => writeln!(text, "\treturn x;\n}}"),
    };
}

fn statement(text: &mut String, random: &mut Random, names: &[String], seed: u64) {
    let n = format!("s{seed}_{}", random.below(names.len() / 4));
    let (one, other) = (random.pick(names), random.pick(names));
    let k = random.below(16);
    let weak = random.below(4);
    let _ = match random.below(18) {
        0 | 1 => writeln!(text, "\tx += {one}(x, {k});"),
        2 | 3 => writeln!(text, "\tx ^= ext_function_{}(x, b);", random.below(8)),
        4 => writeln!(text, "\text_print(\"%d of {n}\\n\", x); ext_print(letters_{n} + {k});"),
        5 => writeln!(text, "\tx += number_{n}++ - counter_{n}; counter_{n} = b;"),
        6 => writeln!(text, "\tx -= array_{n}[(x + {k}) & 15] + array_{n}[{k}]; array_{n}[b & 7] = x;"),
        7 => writeln!(text, "\tx += table_{n}[b & 3](x, {k}); changing_{n} = {other};"),
        8 => writeln!(text, "\tx += changing_{n}(*inside_{n}[b & 3], ext_data_2[{k}]);"),
        9 => writeln!(text, "\tx = (int)(x * real_{n}[b & 1] + {k}.125 * b);"),
        10 => writeln!(text, "\tif (weak_function_{weak}) x += weak_function_{weak}(x, {k});"),
        11 => writeln!(text, "\tif (&weak_data_{0}) x += weak_data_{0};", weak & 1),
        12 => writeln!(
            text,
            "\tfor (struct node *n = &node_{n}; n; n = n->next) x += n->function(x, {k}) + *n->middle;"
        ),
        13 => writeln!(text, "\tx += hidden_function(hidden_data, ext_data_0++) + (int)(word)&ext_data_1;"),
        14 => {
            writeln!(text, "\tbuffer_{n}[b & 1] = (char)x; common_{n}[0] += own_{n}.size; own_{n}.next = 0;")
        }
        15 => writeln!(text, "\tx = (int)((unsigned long long)x * {k}1234567 / (unsigned)(b | 1));"),
        16 => {
            let (label, end) = (random.below(1_000_000), random.below(1_000_000));
            writeln!(
                text,
                "\t{{ static void *const places[] = {{&&l{label}a, &&l{label}b}}; goto *places[b & 1];
\tl{label}a: x += {one}(b, {end}); l{label}b: x++; }}"
            )
        }
        _ => {
            let arms = [one, other, random.pick(names), random.pick(names), random.pick(names)];
            let _ = writeln!(text, "\tswitch (b) {{");
            for (index, arm) in arms.iter().enumerate() {
                let _ = writeln!(text, "\tcase {}: x += {arm}(x, b); break;", index * 2);
                let _ =
                    writeln!(text, "\tcase {}: ext_print(\"case {index} of {n}\"); break;", index * 2 + 1);
            }
            writeln!(text, "\tdefault: x--; }}")
        }
    };
}

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
    }

    fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

#[cfg(test)]
mod tests {
    use super::source;

    #[test]
    fn a_seed_always_makes_the_same_source() {
        assert_eq!(source(7, 20), source(7, 20));
        assert_ne!(source(7, 20), source(8, 20));
        assert!(source(7, 20).contains("int s7_function_19(int a, int b)\n{"));
    }
}
