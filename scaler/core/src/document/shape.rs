//! The shape of properties that are kept as they are written: checked all the same, from a table.

use super::node::NodeValue;
use super::reader::{Field, Reader};

/// What a property may be.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Anything.
    Any,
    /// A text, number or boolean.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number in this range.
    Integer(u32, u32),
    /// One of these names, in any case.
    Choice(&'static [&'static str]),
    /// A list.
    List(&'static Shape),
    /// A mapping with these properties.
    Object(&'static [Property]),
}

/// A property of a [`Shape::Object`].
#[derive(Debug)]
pub(crate) struct Property {
    name: &'static str,
    shape: Shape,
    required: bool,
}

/// A property that may be absent.
pub(crate) const fn may(name: &'static str, shape: Shape) -> Property {
    Property {
        name,
        shape,
        required: false,
    }
}

/// A property that must be there.
pub(crate) const fn must(name: &'static str, shape: Shape) -> Property {
    Property {
        name,
        shape,
        required: true,
    }
}

/// Reports whatever of `field` is not as `shape` says. A value that is not resolved has no shape;
/// [`Reader::accept`] reports it if it must have one.
pub(crate) fn check(reader: &mut Reader<'_>, field: &Field<'_>, shape: &Shape) {
    if matches!(&field.node.value, NodeValue::Scalar(scalar) if scalar.unresolved.is_some()) {
        return;
    }
    match shape {
        Shape::Any => {}
        Shape::Text => {
            reader.text(field);
        }
        Shape::Boolean => {
            reader.boolean(field);
        }
        Shape::Integer(low, high) => {
            reader.integer(field, *low..=*high);
        }
        Shape::Choice(names) => {
            let choices: Vec<_> = names.iter().map(|name| (*name, ())).collect();
            reader.choice(field, &choices);
        }
        Shape::List(entry) => {
            for item in reader.list(field) {
                check(reader, &item, entry);
            }
        }
        Shape::Object(properties) => check_object(reader, field, properties),
    }
}

fn check_object(reader: &mut Reader<'_>, field: &Field<'_>, properties: &'static [Property]) {
    let Some(mut object) = reader.object(field) else {
        return;
    };
    for property in properties {
        let value = if property.required {
            object.require(reader, property.name, "a value")
        } else {
            object.get(property.name)
        };
        if let Some(value) = value {
            check(reader, &value, &property.shape);
        }
    }
    object.finish(reader);
}
