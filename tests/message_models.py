"""More models on which events are proved: links, messages within the case, and a transaction without compensation."""

from __future__ import annotations

from tests.drawing import Drawn, draw

MESSAGE_MODELS: dict[str, Drawn] = {
    "links": draw("""
        start s     -> again
        xor   again -> split
        and   split -> a b
        user  a     -> gate
        xor   gate  -> there join
        throw there | link=far
        linked here -> c | link=far
        user  c     -> join
        user  b     -> join
        or    join  -> more
        xor   more  -> back e
        throw back  | link=start
        linked start -> again | link=start
        end   e
    """),
    "messages-within-the-case": draw("""
        start s     -> again
        xor   again -> split
        and   split -> a get b
        user  a     -> tell
        send  tell  -> join | message=m1
        receive get -> join | name=m1
        timer  over on get -> join
        sub   b     -> join {
            start bs -> c
            user  c  -> gate
            xor   gate -> be be2
            end   be | message=m2
            end   be2
        }
        message hear beside b -> d | name=m2
        user  d     -> e
        or    join  -> f
        user  f     -> more
        xor   more  -> again e
        end   e
    """),
    "receive-tasks-behind-an-event-gateway": draw("""
        start  s     -> again
        xor    again -> split
        and    split -> g a
        events g     -> first second expired
        receive first  -> ?b ?c *d | name=m1
        receive second -> e2 | name=m2
        timer  expired -> join
        user   b     -> join
        user   c     -> join
        user   d     -> join
        user   a     -> tell
        xor    tell  -> t1 t2 join
        send   t1    -> join | message=m1
        send   t2    -> join | message=m2
        or     join  -> more
        user   more  -> back
        xor    back  -> again e
        end    e
        end    e2
    """),
    "a-transaction": draw("""
        start s   -> t
        transaction t -> more {
            start ts -> a
            user  a  -> gate
            xor   gate -> bad te
            end   bad | error=E1
            end   te
        }
        error off on t -> b
        user  b   -> more
        xor   more -> t e
        terminate e
    """),
}
