//! Who needs whom, drawn as a tree.

use std::collections::HashSet;
use std::fmt::{self, Write};

use serde::Serialize;

use crate::demangle::printable;
use crate::terminal::FAINT;

/// An extension and its neighbours.
#[derive(Clone, Serialize)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) needs: Vec<String>,
    pub(super) needed_by: Vec<String>,
}

/// The extensions that a question is about: all, or one with what it needs.
#[derive(Serialize)]
pub(super) struct Tree {
    extensions: Vec<Node>,
    #[serde(skip)]
    root: Option<String>,
}

impl Tree {
    /// All of these, each under those that need it.
    pub(super) fn of_all(extensions: Vec<Node>) -> Self {
        Self { extensions, root: None }
    }

    /// One of these and what it needs, directly or not.
    pub(super) fn of_one(all: Vec<Node>, name: &str) -> Self {
        let mut wanted = vec![name.to_owned()];
        let mut next = 0;
        while let Some(name) = wanted.get(next) {
            let node = all.iter().find(|node| node.name == *name);
            let new = node.map(|node| node.needs.clone()).unwrap_or_default();
            let new: Vec<String> = new.into_iter().filter(|name| !wanted.contains(name)).collect();
            wanted.extend(new);
            next += 1;
        }
        let extensions = all.into_iter().filter(|node| wanted.contains(&node.name)).collect();
        Self { extensions, root: Some(name.to_owned()) }
    }

    fn node(&self, name: &str) -> Option<&Node> {
        self.extensions.iter().find(|node| node.name == name)
    }

    /// Where drawing begins: at the one that was named, else at all that nobody needs.
    fn roots(&self) -> Vec<&Node> {
        match &self.root {
            Some(name) => self.node(name).into_iter().collect(),
            None => self.extensions.iter().filter(|node| node.needed_by.is_empty()).collect(),
        }
    }
}

/// A tree on its way to paper: what hangs below a node that was drawn before is not drawn again.
struct Drawing<'t> {
    tree: &'t Tree,
    drawn: HashSet<&'t str>,
    text: String,
}

impl<'t> Drawing<'t> {
    fn draw(&mut self, node: &'t Node, first: &str, rest: &str) -> fmt::Result {
        let again = !self.drawn.insert(&node.name) && !node.needs.is_empty();
        let remark = if again { " (see above)" } else { "" };
        writeln!(self.text, "{first}{}{FAINT}{remark}{FAINT:#}", printable(&node.name))?;
        if again {
            return Ok(());
        }
        let needs: Vec<&Node> = node.needs.iter().filter_map(|name| self.tree.node(name)).collect();
        for (index, needed) in needs.iter().enumerate() {
            let (branch, below) =
                if index + 1 < needs.len() { ("├── ", "│   ") } else { ("└── ", "    ") };
            self.draw(needed, &format!("{rest}{branch}"), &format!("{rest}{below}"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut drawing = Drawing { tree: self, drawn: HashSet::new(), text: String::new() };
        for root in self.roots() {
            drawing.draw(root, "", "")?;
        }
        f.write_str(&drawing.text)?;
        let users = self.root.as_ref().and_then(|name| self.node(name)).map(|node| node.needed_by.as_slice());
        match users {
            Some(users) if !users.is_empty() => {
                writeln!(
                    f,
                    "needed by {}",
                    users.iter().map(|name| printable(name)).collect::<Vec<_>>().join(", ")
                )
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// base <- math, log; math, log <- app; alone.
    fn nodes() -> Vec<Node> {
        let needs: [(&str, &[&str]); 5] = [
            ("base", &[]),
            ("math", &["base"]),
            ("log", &["base", "math"]),
            ("app", &["math", "log"]),
            ("alone", &[]),
        ];
        let users = |name: &str| {
            let users = needs.iter().filter(|(_, needs)| needs.contains(&name));
            users.map(|(user, _)| (*user).to_owned()).collect()
        };
        let node = |(name, needs): &(&str, &[&str])| Node {
            name: (*name).to_owned(),
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
            needed_by: users(name),
        };
        needs.iter().map(node).collect()
    }

    fn plain(tree: &Tree) -> String {
        anstream::adapter::strip_str(&tree.to_string()).to_string()
    }

    #[test]
    fn all_hang_below_those_that_need_them() {
        insta::assert_snapshot!(plain(&Tree::of_all(nodes())), @r"
        app
        ├── math
        │   └── base
        └── log
            ├── base
            └── math (see above)
        alone
        ");
    }

    #[test]
    fn one_shows_what_it_needs_and_who_needs_it() {
        let tree = Tree::of_one(nodes(), "math");
        insta::assert_snapshot!(plain(&tree), @r"
        math
        └── base
        needed by log, app
        ");
        assert_eq!(tree.extensions.len(), 2);
        assert_eq!(plain(&Tree::of_one(nodes(), "alone")), "alone\n");
    }
}
