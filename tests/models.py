"""The models on which the runtime's tokens are proved, structured and unstructured.

Every cycle passes a wait. What a gateway decides is for the walker, so that each model is walked along all its ways.
"""

from __future__ import annotations

from tests.drawing import Drawn, draw

MODELS: dict[str, Drawn] = {
    "and-in-a-loop": draw("""
        start s     -> again
        xor   again -> split
        and   split -> a b
        user  a     -> join
        user  b     -> join
        and   join  -> more
        xor   more  -> again e
        end   e
    """),
    "and-in-nested-loops": draw("""
        start s      -> outer
        xor   outer  -> split
        and   split  -> inner c
        xor   inner  -> split2
        and   split2 -> a b
        user  a      -> join2
        user  b      -> join2
        and   join2  -> more2
        xor   more2  -> inner join
        user  c      -> join
        and   join   -> more
        xor   more   -> outer *e
        end   e
    """),
    "a-loop-inside-one-branch": draw("""
        start s     -> again
        and   split -> a b c
        user  a     -> back
        xor   back  -> a a2
        user  a2    -> join
        user  b     -> join
        user  c     -> join
        and   join  -> last
        user  last  -> more
        xor   more  -> again e
        xor   again -> split
        end   e
    """),
    "or-in-a-loop": draw("""
        start s     -> again
        xor   again -> split
        or    split -> a b *c
        user  a     -> join
        user  b     -> join
        user  c     -> join
        or    join  -> more
        xor   more  -> again e
        end   e
    """),
    "or-within-or": draw("""
        start s      -> split
        or    split  -> split2 c d
        or    split2 -> a b
        user  a      -> join2
        user  b      -> join2
        or    join2  -> x
        user  x      -> join
        user  c      -> join
        user  d      -> back
        xor   back   -> d join
        or    join   -> f
        user  f      -> more
        xor   more   -> split e
        end   e
    """),
    "or-split-with-early-ends": draw("""
        start s     -> split
        or    split -> a b c
        user  a     -> gate
        xor   gate  -> join gone
        user  b     -> join
        user  c     -> gate2
        xor   gate2 -> join c2 gone
        user  c2    -> gate2
        or    join  -> f
        user  f     -> more
        xor   more  -> split e
        end   gone
        end   e
    """),
    "or-join-with-a-way-back-into-it": draw("""
        start s     -> split
        and   split -> a b
        user  a     -> join
        user  b     -> join
        or    join  -> c
        user  c     -> more
        xor   more  -> join split2 e
        and   split2 -> d join
        user  d     -> join
        end   e
    """),
    "two-or-joins-that-wait-for-each-other": draw("""
        start s     -> split
        and   split -> a b
        user  a     -> gate3
        xor   gate3 -> left c2
        xor   c2    -> c
        user  b     -> right
        or    left  -> c2
        or    right -> d
        user  c     -> gate
        user  d     -> gate2
        xor   gate  -> right e
        xor   gate2 -> left e
        end   e
    """),
    "or-in-a-subprocess-in-a-loop": draw("""
        start s     -> again
        xor   again -> review
        sub   review -> more {
            start rs    -> split
            or    split -> a b c
            user  a     -> join
            user  b     -> back
            xor   back  -> b join
            user  c     -> join
            or    join  -> d
            user  d     -> more2
            xor   more2 -> split re
            end   re
        }
        xor   more  -> again e
        end   e
    """),
    "crossing-branches": draw("""
        start s     -> again
        xor   again -> split
        and   split -> a b
        user  a     -> split2
        and   split2 -> c join
        user  b     -> split3
        and   split3 -> join d
        and   join  -> f
        user  c     -> join2
        user  f     -> join2
        user  d     -> join2
        and   join2 -> more
        xor   more  -> again e
        end   e
    """),
    "two-tokens-through-one-way": draw("""
        start s     -> split
        and   split -> a b
        user  a     -> merge
        user  b     -> merge
        xor   merge -> c
        user  c     -> split2
        and   split2 -> d f
        user  d     -> join
        user  f     -> join
        and   join  -> more
        xor   more  -> merge e
        end   e
    """),
    "an-and-join-that-may-starve": draw("""
        start s     -> split
        and   split -> a b
        user  a     -> gate
        xor   gate  -> join gone
        user  b     -> join
        and   join  -> c
        user  c     -> e
        end   gone
        end   e
    """),
    "xor-into-and-join": draw("""
        start s     -> again
        xor   again -> a
        user  a     -> gate
        xor   gate  -> b c
        user  b     -> split
        user  c     -> merge
        and   split -> merge d
        xor   merge -> join
        user  d     -> gate2
        xor   gate2 -> again join
        and   join  -> e
        end   e
    """),
    "a-reminder-beside-an-or-join": draw("""
        start s     -> again
        xor   again -> split
        and   split -> a b
        user  a     -> join
        timer late  beside a -> remind
        user  remind -> join
        message ask beside b -> answer
        user  answer -> join
        user  b     -> join
        or    join  -> c
        user  c     -> more
        xor   more  -> again e
        end   e
    """),
    "a-reminder-beside-an-and-join": draw("""
        start s     -> again
        xor   again -> split
        and   split -> a b
        user  a     -> join
        timer late  beside a -> remind
        user  remind -> done
        user  b     -> join
        timer over  on b -> instead
        user  instead -> merge
        xor   merge -> join2
        and   join  -> merge2
        xor   merge2 -> join2
        or    join2 -> more
        xor   more  -> again e
        end   done
        end   e
    """),
    "a-withdrawal-from-a-subprocess": draw("""
        start s     -> again
        xor   again -> work
        sub   work  -> more {
            start ws    -> again2
            xor   again2 -> split
            and   split -> a b
            user  a     -> join
            timer slow  beside a -> hurry
            user  hurry -> gate
            xor   gate  -> stop we2
            user  b     -> join
            timer gone  on b -> we3
            and   join  -> more2
            xor   more2 -> again2 stop we
            terminate stop
            end   we
            end   we2
            end   we3
        }
        message withdraw on work -> w
        message note beside work -> n
        user  w     -> more
        user  n     -> e2
        xor   more  -> again e e3
        end   e
        end   e2
        terminate e3
    """),
    "events-in-a-loop": draw("""
        start  s     -> again
        xor    again -> split
        and    split -> first a
        events first -> soon later came
        timer  soon  -> x
        timer  later -> join
        message came -> y
        user   x     -> join
        user   y     -> back
        xor    back  -> first2 join
        xor    first2 -> pause
        timer  pause -> y
        user   a     -> join
        or     join  -> more
        xor    more  -> again e
        end    e
    """),
    "each-in-a-loop": draw("""
        start s     -> again
        xor   again -> a0
        user  a0    -> split
        and   split -> vote sign
        user  vote  [each] -> join
        timer over  on vote -> late
        user  late  -> join
        user  sign  [in-turn] -> join2
        message ask beside sign -> tell
        user  tell  -> join2
        or    join  -> join2
        or    join2 -> more
        xor   more  -> again e
        end   e
    """),
    "each-a-subprocess": draw("""
        start s     -> again
        xor   again -> a0
        user  a0    -> part
        sub   part  [each] -> more {
            start ps    -> split
            or    split -> a b
            user  a     -> join
            timer slow  on a -> c
            user  c     -> join
            user  b     -> join
            or    join  -> more2
            xor   more2 -> split stop vote pe
            terminate stop
            user  vote  [in-turn] -> pe
            end   pe
        }
        message halt on part -> more
        xor   more  -> again e
        end   e
    """),
    "calls-side-by-side": draw(
        """
        start s     -> again
        xor   again -> split
        and   split -> one two a
        call  one   -> join | called=child; in.g=g; in.n_m=n_m; in.stop_m=stop_m
        call  two   [in-turn] -> join | called=child; in.g=g; in.n_m=n_m; in.stop_m=stop_m
        timer over  on two -> join2
        user  a     -> join
        or    join  -> join2
        or    join2 -> more
        xor   more  -> again e
        end   e
        """,
        child="""
        start cs     -> csplit
        and   csplit -> ca m
        user  ca     -> g
        xor   g      -> ca cjoin
        user  m      [each] -> cjoin
        and   cjoin  -> ce
        end   ce
        """,
    ),
    "two-tokens-in-one-subprocess": draw("""
        start s     -> split
        and   split -> a b
        user  a     -> merge
        user  b     -> merge
        xor   merge -> box
        sub   box   -> more {
            start bs    -> split2
            and   split2 -> c d
            user  c     -> join
            user  d     -> join
            and   join  -> be
            end   be
        }
        timer over  on box -> more
        xor   more  -> a2 e
        user  a2    -> merge
        end   e
    """),
    "a-quick-subprocess-before-an-or-join": draw("""
        start s     -> again
        xor   again -> split
        and   split -> box a c
        sub   box   -> gate {
            start bs    -> be
            end   be
        }
        xor   gate  -> join join2
        user  a     -> join
        user  c     -> join2
        or    join  -> join2
        or    join2 -> more
        xor   more  -> again e
        end   e
    """),
    "a-subprocess-that-reaches-both-ways-of-an-or-join": draw("""
        start s     -> again
        xor   again -> split
        and   split -> box merge
        sub   box   -> gate {
            start bs    -> be
            end   be
        }
        xor   gate  -> merge join
        xor   merge -> join
        or    join  -> a
        user  a     -> more
        xor   more  -> again e
        end   e
    """),
}
