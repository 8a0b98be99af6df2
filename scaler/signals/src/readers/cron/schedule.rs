//! When something comes again and again: the five fields of cron, as KEDA's parser reads them.

use jiff::civil::{Date, DateTime};

/// What the fields are called, in their order.
const FIELDS: [Field; 5] = [
    Field {
        name: "minute",
        least: 0,
        most: 59,
        names: &[],
    },
    Field {
        name: "hour",
        least: 0,
        most: 23,
        names: &[],
    },
    Field {
        name: "day of the month",
        least: 1,
        most: 31,
        names: &[],
    },
    Field {
        name: "month",
        least: 1,
        most: 12,
        names: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Field {
        name: "day of the week",
        least: 0,
        most: 6,
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// What a field may have.
struct Field {
    name: &'static str,
    least: u8,
    most: u8,
    /// Names of the numbers from `least` on.
    names: &'static [&'static str],
}

/// The minutes that five fields name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    minutes: Numbers,
    hours: Numbers,
    days: Numbers,
    months: Numbers,
    weekdays: Numbers,
}

/// The numbers of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Numbers {
    /// A bit for each.
    bits: u64,
    /// Whether it says `*`, so that of the two fields of days it is the other one that counts.
    is_any: bool,
}

impl Schedule {
    /// Reads five fields.
    ///
    /// # Errors
    /// The field that is wrong, and what would be right.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else {
            let number = fields.len();
            return Err(format!(
                "has {number} fields; give minute, hour, day of the month, month and day of the week"
            ));
        };
        let [minute, hour, day, month, weekday] = &FIELDS;
        Ok(Self {
            minutes: minute.parse(minutes)?,
            hours: hour.parse(hours)?,
            days: day.parse(days)?,
            months: month.parse(months)?,
            weekdays: weekday.parse(weekdays)?,
        })
    }

    /// Whether it comes on a day.
    pub(super) fn is_on(&self, date: Date) -> bool {
        let day = self.days.have(date.day());
        let weekday = self.weekdays.have(date.weekday().to_sunday_zero_offset());
        let days_fit = if self.days.is_any || self.weekdays.is_any {
            day && weekday
        } else {
            day || weekday
        };
        days_fit && self.months.have(date.month())
    }

    /// The times of a day at which it comes, in order.
    pub(super) fn times(&self, date: Date) -> impl Iterator<Item = DateTime> {
        let hours = (0..24).filter(|hour| self.hours.have(*hour));
        hours.flat_map(move |hour| {
            let minutes = (0..60).filter(|minute| self.minutes.have(*minute));
            minutes.map(move |minute| date.at(hour, minute, 0, 0))
        })
    }
}

impl Numbers {
    fn have(self, number: i8) -> bool {
        u32::try_from(number).is_ok_and(|number| self.bits >> number & 1 == 1)
    }
}

impl Field {
    fn parse(&self, text: &str) -> Result<Numbers, String> {
        let mut numbers = Numbers {
            bits: 0,
            is_any: false,
        };
        for part in text.split(',') {
            let wrong = || {
                let (name, least, most) = (self.name, self.least, self.most);
                format!("{part:?} is no {name}, which is {least} to {most}")
            };
            let read = self.part(part).ok_or_else(wrong)?;
            numbers.bits |= read.bits;
            numbers.is_any |= read.is_any;
        }
        Ok(numbers)
    }

    /// `*`, `3`, `1-5`, `mon-fri`, and each of them with a step: `3/5` is from 3 on.
    fn part(&self, text: &str) -> Option<Numbers> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (text, None),
        };
        let by = match step {
            Some(step) => digits(step).filter(|step| *step > 0)?,
            None => 1,
        };
        let is_any = matches!(range, "*" | "?");
        let (first, last) = match range.split_once('-') {
            _ if is_any => (self.least, self.most),
            Some((first, last)) => (self.number(first)?, self.number(last)?),
            None if step.is_some() => (self.number(range)?, self.most),
            None => (self.number(range)?, self.number(range)?),
        };
        let numbers = (first..=last).step_by(usize::from(by));
        let bits = numbers.fold(0, |bits, number| bits | 1 << number);
        (first <= last).then_some(Numbers {
            bits,
            // Every second day is not any day.
            is_any: is_any && by == 1,
        })
    }

    fn number(&self, text: &str) -> Option<u8> {
        let mut known = (self.least..).zip(self.names);
        let named = known.find(|(_, name)| name.eq_ignore_ascii_case(text));
        let number = named.map(|(number, _)| number).or_else(|| digits(text))?;
        (self.least..=self.most).contains(&number).then_some(number)
    }
}

/// A number without a sign.
fn digits(text: &str) -> Option<u8> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests;
