//! All unload orders of all dependency graphs of up to five extensions end with nothing left.

use crate::kit::{App, Apps, apps, is_empty, load_with, noted, object, text};
use llext::Error;

const NODES: usize = 5;

/// Bit `pair(from, to)` says that `from` depends on `to`, where `to < from`: so every number is a graph without circles,
/// loaded in the order of its nodes.
type Graph = u32;

fn depends(graph: Graph, from: usize, to: usize) -> bool {
    to < from && graph >> (from * (from - 1) / 2 + to) & 1 == 1
}

/// Every order of `0..nodes`.
fn orders(nodes: usize) -> Vec<Vec<usize>> {
    if nodes == 0 {
        return vec![vec![]];
    }
    let shorter = orders(nodes - 1);
    let with_last = |order: &Vec<usize>| {
        (0..nodes).map(|at| [&order[..at], &[nodes - 1], &order[at..]].concat()).collect::<Vec<_>>()
    };
    shorter.iter().flat_map(with_last).collect()
}

/// The graph with its nodes renamed, if that can be loaded in the order of the nodes.
fn renamed(graph: Graph, order: &[usize]) -> Option<Graph> {
    let mut other = 0;
    for from in 0..order.len() {
        for to in (0..from).filter(|to| depends(graph, from, *to)) {
            let (from, to) = (order[from], order[to]);
            other |= if to < from { 1 << (from * (from - 1) / 2 + to) } else { return None };
        }
    }
    Some(other)
}

/// One of each set of graphs that differ only in the names of their nodes.
fn graphs(nodes: usize, orders: &[Vec<usize>]) -> Vec<Graph> {
    let all = 0..1 << (nodes * nodes.saturating_sub(1) / 2);
    all.filter(|graph| orders.iter().filter_map(|order| renamed(*graph, order)).all(|other| other >= *graph))
        .collect()
}

#[test]
fn there_are_as_many_graphs_as_mathematics_has_it() {
    // Unlabelled acyclic digraphs, https://oeis.org/A003087
    let counts: Vec<usize> = (0..=NODES).map(|nodes| graphs(nodes, &orders(nodes)).len()).collect();
    assert_eq!(counts, [1, 1, 2, 6, 31, 302]);
}

/// What lives, as the test counts it.
struct Model {
    graph: Graph,
    nodes: usize,
    live: [bool; NODES],
    has_handle: [bool; NODES],
}

impl Model {
    fn dependents(&self, of: usize) -> Vec<usize> {
        (of + 1..self.nodes).filter(|user| self.live[*user] && depends(self.graph, *user, of)).collect()
    }

    /// Ends what nobody keeps; dependents have higher numbers, so they end first.
    fn settle(&mut self) {
        for node in (0..self.nodes).rev() {
            self.live[node] = self.live[node] && (self.has_handle[node] || !self.dependents(node).is_empty());
        }
    }
}

fn name(node: usize) -> &'static str {
    ["a", "b", "c", "d", "e"][node]
}

fn build<'r>(apps: &'r Apps, graph: Graph, objects: &[&'static [u8]]) -> Vec<Option<App<'r>>> {
    let mut handles: Vec<Option<App>> = Vec::new();
    for (node, object) in objects.iter().enumerate() {
        let providers: Vec<&App> =
            (0..node).filter(|to| depends(graph, node, *to)).filter_map(|to| handles[to].as_ref()).collect();
        handles.push(Some(load_with(apps, name(node), *object, &providers).unwrap()));
    }
    handles
}

/// Unloads in this order. What is refused is tried again after the others, or (`lets_go`) dropped.
fn unload(apps: &Apps, graph: Graph, order: &[usize], objects: &[&'static [u8]], lets_go: bool) {
    let nodes = order.len();
    let mut handles = build(apps, graph, &objects[..nodes]);
    let mut model = Model { graph, nodes, live: [true; NODES], has_handle: [true; NODES] };
    while handles.iter().any(Option::is_some) {
        for &node in order {
            let Some(handle) = handles[node].take() else { continue };
            let dependents = model.dependents(node);
            match handle.unload() {
                Ok(remaining) => assert_eq!((remaining, dependents.len()), (0, 0)),
                Err(refused) => {
                    let named: Vec<String> = refused.handle.dependents().map(text).collect();
                    assert_eq!(named.len(), dependents.len());
                    assert!(dependents.iter().all(|user| named.iter().any(|named| named == name(*user))));
                    let Error::InUse { dependents: count, objects: 0, calls: 0, .. } = refused.error else {
                        panic!("{refused}");
                    };
                    assert!(count as usize == dependents.len() && count > 0);
                    handles[node] = (!lets_go).then_some(refused.handle);
                }
            }
            model.has_handle[node] = handles[node].is_some();
            model.settle();
            let live: Vec<bool> = (0..nodes).map(|node| apps.find(name(node)).is_some()).collect();
            assert_eq!(live, model.live[..nodes], "{graph:#b} {order:?} after {node}");
        }
    }
    is_empty(apps);
    let mut ended = noted();
    for (at, node) in ended.iter().enumerate() {
        let gone = &ended[..at];
        assert!(
            (0..nodes).all(|user| !depends(graph, user, *node as usize) || gone.contains(&(user as i32)))
        );
    }
    ended.sort_unstable();
    assert_eq!(ended, (0..nodes as i32).collect::<Vec<_>>(), "each ends once");
}

#[test]
fn every_unload_order_of_every_graph_ends_with_nothing_left() {
    let ends =
        |node: usize| format!("__attribute__((destructor)) static void down(void) {{ note({node}); }}");
    let objects: Vec<&'static [u8]> = (0..NODES).map(|node| object(&ends(node))).collect();
    let apps = apps();
    let mut unloads = 0;
    // Five take ten times as long as all others: they wait for the optimised run.
    let up_to = if cfg!(any(debug_assertions, asan)) { 4 } else { NODES };
    for nodes in 0..=up_to {
        let orders = orders(nodes);
        for graph in graphs(nodes, &orders) {
            for order in &orders {
                unload(&apps, graph, order, &objects, false);
                unload(&apps, graph, order, &objects, true);
                unloads += 2;
            }
        }
    }
    let of_five = if up_to == 5 { 302 * 120 } else { 0 };
    assert_eq!(unloads, 2 * (1 + 1 + 2 * 2 + 6 * 6 + 31 * 24 + of_five));
}
