//! Routes that get no request: here, or in Azure, where the first that matches is taken.

use crate::document::model::{HttpRouteMatch, HttpRouteRule, PathMatch};
use crate::document::reader::{Field, Reader, shortened};

/// Warns of each route all of whose requests an earlier one takes, if only in Azure: here the more
/// specific one has them. `places` has every route, in order.
pub(super) fn warn_of_dead(reader: &mut Reader<'_>, rules: &[HttpRouteRule], places: &[Field<'_>]) {
    let routes = rules.iter().flat_map(|rule| &rule.routes);
    let routes: Vec<&HttpRouteMatch> = routes.map(|route| &route.matches).collect();
    // Without one of them, what is at which place is not known, and there is an error to mend first.
    if routes.len() != places.len() {
        return;
    }
    for (place, route) in routes.iter().enumerate() {
        let mut earlier = routes[..place].iter().zip(places);
        if let Some((first, field)) = earlier.find(|(earlier, _)| takes_all_of(earlier, route)) {
            let message = if is_as_specific(first, route) {
                format!(
                    "gets no request, since {} matches them all and comes first",
                    field.path
                )
            } else {
                format!(
                    "in Azure {} gets these requests, since it comes first and `{}` matches them; \
                     here the more specific one does; put this one first",
                    field.path,
                    shortened(first.path.text())
                )
            };
            reader.warn(&places[place], message);
        }
    }
}

/// Whether all that `later` matches `earlier` matches too, of those that Azure knows or that are alike.
fn takes_all_of(earlier: &HttpRouteMatch, later: &HttpRouteMatch) -> bool {
    earlier.case_sensitive == later.case_sensitive
        && earlier.method == later.method
        && earlier.headers == later.headers
        && covers(&earlier.path, &later.path)
}

/// Whether the order decides between two of which one covers the other.
fn is_as_specific(earlier: &HttpRouteMatch, later: &HttpRouteMatch) -> bool {
    let is_exact = |one: &HttpRouteMatch| matches!(one.path, PathMatch::Exact(_));
    earlier.path.text() == later.path.text() && is_exact(earlier) == is_exact(later)
}

fn covers(earlier: &PathMatch, later: &PathMatch) -> bool {
    let text = later.text();
    match earlier {
        PathMatch::Exact(_) => earlier == later,
        PathMatch::Prefix(prefix) => text.starts_with(&**prefix),
        PathMatch::PathSeparatedPrefix(prefix) => match text.strip_prefix(&**prefix) {
            Some("") => !matches!(later, PathMatch::Prefix(_)),
            Some(rest) => rest.starts_with('/'),
            None => false,
        },
    }
}
