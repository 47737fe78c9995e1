"""Words of the made-up community: what its products are called and what people write of them.

All names are invented; any likeness to a real product or firm is chance.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """What a group of products is about."""

    name: str
    """Word in the names of its products."""
    about: tuple[str, str, str]
    """What the products do, for their texts."""
    said: tuple[str, ...]
    """What people say of them."""


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf of products with two topics."""

    name: str
    sector: str
    kinds: tuple[str, ...]
    risk: int
    topics: tuple[Topic, Topic]


CATEGORIES = (
    Category(
        "Green energy",
        "Energy",
        ("fund", "bond", "fund", "stock"),
        3,
        (
            Topic(
                "Wind",
                (
                    "builds wind farms off the coast",
                    "pays for turbines on land and at sea",
                    "owns parks of wind turbines",
                ),
                (
                    "the turbines turned all winter and it showed in the payout",
                    "I like that my money puts up windmills I can see from the train",
                    "wind output was weak in summer, as one should expect",
                    "clear monthly report on how much power the wind parks made",
                ),
            ),
            Topic(
                "Solar",
                (
                    "puts solar panels on school and factory roofs",
                    "finances solar fields in the south",
                    "buys makers of panels and batteries",
                ),
                (
                    "a sunny year, and the solar roofs earned more than planned",
                    "panels got cheaper and the makers felt it",
                    "solar power with storage is what I was looking for",
                    "they show every solar roof on a map, which I enjoy",
                ),
            ),
        ),
    ),
    Category(
        "Technology",
        "Technology",
        ("stock", "fund", "fund"),
        4,
        (
            Topic(
                "Chip",
                (
                    "invests in makers of chips and the machines that etch them",
                    "holds designers of processors and memory",
                    "follows the firms that supply chip plants",
                ),
                (
                    "chips swing up and down, hold on tight",
                    "demand for processors carried it this year",
                    "bought after reading about the shortage of memory chips",
                    "a bet on semiconductors and nothing else, good",
                ),
            ),
            Topic(
                "Cloud",
                (
                    "owns firms that rent out computing and storage",
                    "invests in software sold by subscription",
                    "holds data centres and their suppliers",
                ),
                (
                    "subscriptions bring steady money, I like software for that",
                    "every firm I know moves to the cloud, so this made sense",
                    "data centres eat power, but customers keep coming",
                    "software prices look high to me after this run",
                ),
            ),
        ),
    ),
    Category(
        "Health",
        "Health care",
        ("fund", "stock", "fund"),
        3,
        (
            Topic(
                "Medicine",
                (
                    "backs makers of new medicines",
                    "invests in laboratories with trials under way",
                    "holds firms that make vaccines",
                ),
                (
                    "one failed trial cost a tenth of the value, beware",
                    "a new medicine was approved and the price jumped",
                    "I work in a laboratory and find the choice of drugs sensible",
                    "vaccines are a calm part of a wild field",
                ),
            ),
            Topic(
                "Care",
                (
                    "runs clinics and homes for older people",
                    "invests in nursing homes and home care",
                    "owns makers of hearing aids and wheelchairs",
                ),
                (
                    "people get older, clinics stay full, simple as that",
                    "care homes are not exciting, and that is why I sleep well",
                    "my mother lives in such a home, so I looked closely",
                    "wages of nurses rose and ate into the return",
                ),
            ),
        ),
    ),
    Category(
        "Property",
        "Real estate",
        ("fund", "bond", "fund"),
        2,
        (
            Topic(
                "Housing",
                (
                    "lets flats in mid-sized towns",
                    "builds homes for rent near the railway",
                    "renovates older blocks of flats",
                ),
                (
                    "rents come in every month and so does my share",
                    "flats in smaller towns were the right idea",
                    "building costs ran over and the new homes are late",
                    "solid houses, slow growth, exactly as told",
                ),
            ),
            Topic(
                "Warehouse",
                (
                    "owns warehouses along the motorway",
                    "leases storage halls to parcel services",
                    "builds cold stores for food",
                ),
                (
                    "parcels need halls, so the leases run long",
                    "two tenants make up most of the storage space, mind that",
                    "logistics did better than offices by far",
                    "cold stores are dull and dependable",
                ),
            ),
        ),
    ),
    Category(
        "Commodities",
        "Materials",
        ("fund", "stock"),
        4,
        (
            Topic(
                "Gold",
                ("keeps bars of gold in a vault", "holds gold miners", "tracks the price of gold"),
                (
                    "my anchor when everything else shakes",
                    "gold pays no interest, know that before you buy",
                    "one can have the bars delivered, I checked",
                    "the vault is audited twice a year and I read the report",
                ),
            ),
            Topic(
                "Copper",
                (
                    "follows copper and other metals for cables",
                    "invests in copper mines",
                    "buys makers of wire and cable",
                ),
                (
                    "every cable needs copper and the mines are few",
                    "strikes at a mine moved the price for weeks",
                    "metals go with the building trade, up and down",
                    "copper fell when factories slowed",
                ),
            ),
        ),
    ),
    Category(
        "Government bonds",
        "Public",
        ("bond", "fund", "bond"),
        1,
        (
            Topic(
                "Treasury",
                (
                    "lends to states with the best marks",
                    "holds short state bonds",
                    "buys state bonds that run ten years",
                ),
                (
                    "pays its coupon on the day, nothing more to say",
                    "safe, and since rates rose it even pays something",
                    "long state bonds lost value when rates went up",
                    "a good place for money I need in three years",
                ),
            ),
            Topic(
                "Municipal",
                (
                    "lends to towns for schools and trams",
                    "finances waterworks of towns",
                    "buys bonds of regions and cities",
                ),
                (
                    "my own town borrowed here for the new tram",
                    "towns pay back, slowly and surely",
                    "nice to know which school the coupon comes from",
                    "hard to sell before it runs out, so plan ahead",
                ),
            ),
        ),
    ),
    Category(
        "Emerging markets",
        "International",
        ("fund", "bond", "fund"),
        4,
        (
            Topic(
                "Asia",
                (
                    "invests in growing firms across Asia",
                    "holds makers of everyday goods in Asia",
                    "lends to firms in South-East Asia",
                ),
                (
                    "a bumpy ride, but the region grows",
                    "currencies cost me half of the gain from Asia",
                    "factories move there and the fund follows",
                    "many small firms in many countries, well spread",
                ),
            ),
            Topic(
                "Latin",
                (
                    "invests in banks and shops in Latin America",
                    "lends to states in Latin America",
                    "holds farms and food makers in the south",
                ),
                (
                    "elections move this one more than earnings",
                    "high coupons, and one knows why",
                    "food makers there did well in a dry year",
                    "I hold a little of Latin America for the long run",
                ),
            ),
        ),
    ),
    Category(
        "Saving",
        "Banking",
        ("savings", "savings", "bond"),
        1,
        (
            Topic(
                "Daily",
                (
                    "pays interest on money that is free at any time",
                    "is an account without a term",
                    "moves round sums aside every week",
                ),
                (
                    "money is there the same day, that is all I want",
                    "rounding up my shopping filled the account without my noticing",
                    "the rate was cut twice this year, look around",
                    "opened it on my phone in five minutes",
                ),
            ),
            Topic(
                "Fixed",
                (
                    "pays a fixed rate for three years",
                    "locks money away for a better rate",
                    "grows in steps over five years",
                ),
                (
                    "the fixed rate beats the open account clearly",
                    "cannot touch it for years, which keeps me honest",
                    "tell them in time or it runs on for another term",
                    "good for the money of the grandchildren",
                ),
            ),
        ),
    ),
    Category(
        "Protection",
        "Insurance",
        ("insurance", "insurance"),
        1,
        (
            Topic(
                "Home",
                (
                    "covers house and contents",
                    "pays after fire, storm and burst pipes",
                    "insures flats and what is in them",
                ),
                (
                    "a pipe burst and they paid within two weeks",
                    "storm damage to the roof was settled without fuss",
                    "read what it says about bicycles in the cellar",
                    "cheaper than my last home cover and it pays more",
                ),
            ),
            Topic(
                "Travel",
                (
                    "covers illness and cancelled trips abroad",
                    "insures luggage and flights",
                    "pays for doctors on a journey",
                ),
                (
                    "broke a leg skiing and they brought me home",
                    "cancelled flight refunded after one form",
                    "covers the whole family on every journey of the year",
                    "luggage is only covered up to a small sum",
                ),
            ),
        ),
    ),
    Category(
        "Dividends",
        "Mixed",
        ("fund", "stock", "fund"),
        3,
        (
            Topic(
                "Utility",
                (
                    "holds suppliers of water and power",
                    "owns grid operators",
                    "invests in water works with long contracts",
                ),
                (
                    "the dividend came four times this year as always",
                    "grids earn what the regulator lets them, no surprises",
                    "water is always needed, the payout is steady",
                    "slow as a river, I hold it for the income",
                ),
            ),
            Topic(
                "Food",
                (
                    "owns makers of bread, milk and coffee",
                    "invests in supermarkets",
                    "holds well-known makers of food",
                ),
                (
                    "people eat in bad years too, the dividend held",
                    "coffee got dear and the margin got thin",
                    "supermarkets pay out reliably, nothing for gamblers",
                    "I know the products from my own kitchen",
                ),
            ),
        ),
    ),
)

PREFIXES = (
    "Alder", "Amber", "Aspen", "Basalt", "Beech", "Birch", "Bramble", "Brook", "Cedar", "Clover",
    "Cobalt", "Coral", "Cypress", "Dale", "Dune", "Elm", "Falcon", "Fern", "Fjord", "Flint",
    "Garnet", "Glade", "Granite", "Hazel", "Heath", "Heron", "Holly", "Iris", "Ivy", "Jade",
    "Juniper", "Kestrel", "Lagoon", "Larch", "Lark", "Laurel", "Linden", "Lotus", "Lupin", "Maple",
    "Marble", "Meadow", "Mistral", "Moss", "Myrtle", "Nettle", "Oak", "Opal", "Orchid", "Osprey",
    "Pearl", "Pine", "Poplar", "Quartz", "Reed", "Ridge", "Robin", "Rowan", "Sage", "Sequoia",
    "Sorrel", "Sparrow", "Spruce", "Summit", "Swift", "Tamarisk", "Thistle", "Tundra", "Valley",
    "Willow",
)  # fmt: skip

KIND_WORDS = {
    "fund": ("Fund", "Index Fund", "Trust"),
    "bond": ("Bond", "Note"),
    "stock": ("Shares",),
    "savings": ("Savings Plan", "Savings Account"),
    "insurance": ("Cover", "Insurance"),
}

PRODUCT_TEXTS = (
    "{name} {about}. Meant for people who {horizon}.",
    "This {kind} {about}, with yearly costs of {cost} %. It suits those who {horizon}.",
    "{name} {about}. Costs are {cost} % a year; {ending}.",
)
HORIZONS = (
    "can wait five years or more", "want a steady income", "start with small sums",
    "look for something simple", "spread what they own widely", "want to know what they pay for",
)  # fmt: skip
ENDINGS = (
    "the report comes every quarter", "there is no minimum sum", "one can leave every month",
    "gains are paid out in spring", "gains stay invested",
)  # fmt: skip

OPENINGS = {
    "good": (
        "Very happy so far:",
        "Would buy again.",
        "Does what it says:",
        "A friend told me of it, rightly:",
        "Two years in,",
        "Quietly good.",
        "My favourite of the lot:",
        "No complaints:",
    ),
    "fair": (
        "Mixed feelings:",
        "All in all fine;",
        "Neither good nor bad:",
        "After a year I would say",
        "Worth a look, though",
        "It is all right.",
    ),
    "poor": (
        "Not for me:",
        "I had hoped for more:",
        "Sold half of it.",
        "Disappointing so far;",
        "Would not take it again:",
    ),
}
CLOSINGS = {
    "good": (
        "Costs are low for what one gets.",
        "The paperwork took ten minutes.",
        "I add a little each month.",
        "Support answered the same day.",
        "Keeping it.",
        "",
        "",
        "",
    ),
    "fair": (
        "I will watch it for another year.",
        "Costs could be lower.",
        "The statements are hard to read.",
        "Fine as a small part.",
        "",
        "",
    ),
    "poor": (
        "Costs ate most of it.",
        "Nobody answered the phone.",
        "I should have read the small print.",
        "Too much up and down for my taste.",
        "",
        "",
    ),
}
