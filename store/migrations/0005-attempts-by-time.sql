-- What agents did in the last 24 hours: their health and the success rates of their pools are made anew from it.

CREATE INDEX attempts_by_time ON attempts (ended_at DESC);
