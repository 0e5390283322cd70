"""The profile of the default model, SmolLM2-135M-Instruct: kinds of requests with examples of how to answer them.

What is here was found by trial; `docs/default-model.md` shows what it makes of everyday questions. The file is long
because it is a table. No example holds the answer to a question that turnwise is shown to answer.

Without penalties the model repeats itself until its limit; with them it misspells what it should copy. So texts that
are long have strong ones (`dry_...` punishes repeated runs of words, also those of the prompt), short answers none.
"""

from turnwise.models.profile import Kind, Profile
from turnwise.models.recall import name_item, recall

PLAIN_TEXT = {"dry_multiplier": 0.0}
"""For short answers, which may have to repeat the words of the question."""

EXACT = {"dry_multiplier": 0.0, "temperature": 0.0}
LOOSE = {"dry_allowed_length": 3}
"""For answers of several sentences."""

KINDS = (
    Kind(
        "file",
        r"(?m)^\[(?:image|audio|video|document)\b",
        examples=(
            (
                "What is the total?\n[image: PNG image, 400 x 300 pixels, mostly white. You cannot see it. Its text, "
                "read by OCR:]\nCafe Roma\nTwo coffees 6.00\nTotal 6.00\n[end of image]",
                "The total is 6.00.",
            ),
            (
                'Describe it.\n[image "sea.jpg": JPEG image, 900 x 600 pixels, mostly blue. You cannot see it.]',
                "It is a JPEG image of 900 x 600 pixels, and it is mostly blue. I cannot see what is in it.",
            ),
            (
                "Who wrote the letter?\n[document: PDF document, 2 pages. Its text:]\n[page 1]\nDear Sam,\nthe house "
                "is sold.\n[page 2]\nYours, Maria\n[end of document]",
                "Maria wrote the letter. She says that the house is sold.",
            ),
        ),
        sampling={**EXACT, "dry_multiplier": 0.3, "dry_allowed_length": 24},
        always=True,
    ),
    Kind("program", r"^Write (?:a )?Python (?:code|program)\b", sampling=EXACT),
    Kind(
        "one word",
        r"\b(one|single|1)[ -]word\b",
        examples=(
            ("What colour is grass?", "Green."),
            ("Is fire cold?", "No."),
            ("What is the largest country in the world?", "Russia."),
            ("What is the opposite of big?", "Small."),
        ),
        sampling=PLAIN_TEXT,
        always=True,
        in_instruction=True,
    ),
    Kind(
        "story",
        r"\b(story|tale|fable)\b",
        examples=(
            (
                "Tell me a story about a lost kitten.",
                "One rainy night, a small kitten named Mimi could not find her way home. She hid under a bench "
                "and cried. A kind baker heard her, wrapped her in his scarf and carried her from door to door. "
                "At the last house a little girl opened the door and shouted with joy. From that day on, Mimi "
                "visited the baker every morning.",
            ),
        ),
        sampling={
            "temperature": 0.7,
            "repeat_penalty": 1.1,
            "repeat_last_n": 128,
            "dry_allowed_length": 2,
            "dry_penalty_last_n": 1024,
        },
    ),
    Kind(
        "joke",
        r"\b(joke|pun|funny|riddle)\b",
        examples=(
            ("Tell me a joke about cooking.", "Why did the tomato turn red? Because it saw the salad dressing!"),
            (
                "Tell me a joke about the sea.",
                "Why did the fish get bad grades? Because they were below sea level!",
            ),
        ),
        sampling=PLAIN_TEXT,
    ),
    Kind(
        "poem",
        r"\b(poem|haiku|verse|rhyme|limerick)\b",
        examples=(
            (
                "Write a two-line poem about the moon.",
                "The moon climbs high above the quiet hill,\nand all the sleeping fields are white and still.",
            ),
            (
                "Write a two-line poem about a cat.",
                "The cat lies curled beside the fire,\nand dreams of birds upon the wire.",
            ),
        ),
        sampling=LOOSE,
    ),
    Kind(
        "letter",
        r"\b(e-?mail|letter|invitation)\b",
        examples=(
            (
                "Write a short email to invite a friend to dinner.",
                "Subject: Dinner on Friday\n\nDear Sam,\n\nWould you like to come to dinner on Friday at seven? It "
                "would be lovely to see you.\n\nBest wishes,\nAnna",
            ),
        ),
        sampling={**LOOSE, "repeat_penalty": 1.1, "repeat_last_n": 128, "dry_sequence_breakers": ["|"]},
    ),
    Kind(
        "translation",
        r"\btranslate\b|\bhow do (?:you|i) say\b|\b(?:in|into|to) (?:french|german|spanish|italian)\b",
        examples=(
            ("Translate 'thank you' to Spanish.", "'Thank you' in Spanish is 'gracias'."),
            ("Translate 'good night' to German.", "'Good night' in German is 'gute Nacht'."),
        ),
        sampling=PLAIN_TEXT,
    ),
    Kind(
        "summary",
        r"\bsummar(?:y|i[sz]e)\b|\bshorten\b|\bin one sentence\b",
        examples=(
            (
                "Summarize: Tom missed the bus this morning. He had to walk in the rain. He arrived at work "
                "late and wet.",
                "Tom missed the bus and came to work late and wet.",
            ),
            (
                "Summarize: The shop sells bread. It opens at seven. Many people like its cakes.",
                "The shop opens at seven and is liked for its bread and cakes.",
            ),
        ),
        sampling=PLAIN_TEXT,
    ),
    Kind(
        "rewriting",
        r"\b(?:rewrite|rephrase|reword|paraphrase|correct|fix|make)\b.*:",
        examples=(
            ("Correct this sentence: She go to school.", "She goes to school."),
            ("Rewrite this sentence politely: Close the door.", "Could you please close the door?"),
            ("Rewrite this sentence politely: Bring me a chair.", "Could you please bring me a chair?"),
        ),
        sampling=PLAIN_TEXT,
    ),
    Kind(
        "recall",
        r"^(?=.{0,120}$)(?!.*\b(?:if|should|could|would)\b).*(?:\b(?:what|where|who|which|when|how old"
        r"|how many)(?:'s)?(?: \w+){0,2} (?:my|do i|am i|did i)\b|\b(?:remember|recall|know|told"
        r"|tell(?: me)?)\b.*\bmy\b|\babout me\b|\bwho am i\b)",
        examples=(
            ("What is my job? (You work as a baker.)", "You work as a baker."),
            ("Do you remember where I was born? (You were born in Lima.)", "You were born in Lima."),
            ("What colour is my car? (Your car is red.)", "Your car is red."),
            ("What is my cat's name? (Your cat's name is Tom.)", "Your cat's name is Tom."),
        ),
        sampling=EXACT,
        always=True,
        note=recall,
    ),
    Kind(
        "follow-up",
        r"\bthe (?:first|second|third|fourth|fifth|last) (?:one|city|country|item|name|place|thing)\b"
        r"|^\W*(?:and|but|so|then|more|go on|continue|why\b.{0,12}$|(?:what|how) about|tell me more)\b"
        r"|^(?=.{0,60}$).*\b(?:it|its|that|they|them|their|he|she|his|her|there|those|these)\b",
        later=True,
        note=name_item,
    ),
    Kind(
        "definition",
        r"\b(?:mean|meaning|define|definition)\b",
        examples=(
            ("What does 'fragile' mean?", "'Fragile' means easily broken or damaged."),
            ("Define 'volcano'.", "A volcano is a mountain from which hot melted rock and gas can come out."),
        ),
        sampling=PLAIN_TEXT,
    ),
    Kind(
        "advice",
        r"\bhow (?:can|could|should|do) i\b|\bshould i\b|\b(?:advice|advise|tips?|recommend|suggest)\b",
        examples=(
            (
                "How can I learn to cook?",
                "Start with a few simple recipes, such as soup or pasta. Follow the steps, taste as you go, and "
                "practise often.",
            ),
        ),
        sampling=LOOSE,
    ),
    Kind(
        "explanation",
        r"\b(?:explain|describe|why|tell me about)\b|\bhow (?:do|does|did|is|are)\b(?! (?:you|old|many"
        r"|much|far|tall)\b)",
        examples=(
            (
                "Explain gravity in simple terms.",
                "Gravity is a force that pulls things toward each other. It keeps us on the ground and keeps "
                "the Moon close to the Earth.",
            ),
            (
                "Explain photosynthesis in simple terms.",
                "Photosynthesis is how plants make their own food. They use sunlight, water and carbon dioxide "
                "to make sugar, and they give off oxygen.",
            ),
        ),
        sampling=LOOSE,
    ),
    Kind(
        "list",
        r"^\s*(?:name|list|give me)\b|\bwhat are\b(?! you\b)",
        examples=(
            (
                "What are the two largest cities in Japan?",
                "The two largest cities in Japan are Tokyo and Yokohama.",
            ),
            ("Name four planets.", "Four planets are Mars, Venus, Jupiter and Saturn."),
        ),
        sampling=LOOSE,
    ),
    Kind(
        "assistant",
        r"\b(?:who|what|how) are you\b|\bcan you do\b|\bare you\b|\byour name\b|\bhow do you do\b",
        examples=(
            ("Are you a person?", "No, I am an AI assistant, a small language model."),
            ("What are you good at?", "I can answer simple questions and write short texts."),
            ("How is it going?", "I am doing well, thank you! How can I help you?"),
        ),
        sampling=PLAIN_TEXT,
    ),
    Kind(
        "thanks",
        r"^\W*(?:thanks|thank you|thx|cheers)\b",
        examples=(
            ("Thank you very much!", "You're welcome! I am glad I could help."),
            ("Thanks a lot.", "You're welcome! I am glad I could help."),
        ),
        sampling=PLAIN_TEXT,
    ),
    Kind(
        "farewell",
        r"^\W*(?:bye|goodbye|good night|see you)\b",
        examples=(
            ("Goodbye!", "Goodbye! Have a nice day."),
            ("Good night", "Good night! Sleep well."),
        ),
        sampling=LOOSE,
    ),
    Kind(
        "introduction",
        r"\b(?:my name is|is my name|call me)\b|\b(?:i'?m|i am) (?-i:[A-Z])[\w'-]+\W*$",
        examples=(
            ("Hello, my name is Anna.", "Hello Anna! It is nice to meet you. How can I help you today?"),
            ("Hi, I'm Tom.", "Hello Tom! It is nice to meet you. How can I help you today?"),
        ),
        sampling=PLAIN_TEXT,
    ),
    Kind(
        "greeting",
        r"^\W*(?:hi|hello|hey|good (?:morning|evening|afternoon))\b(?=.{0,20}$)",
        examples=(
            ("Good evening", "Good evening! How can I help you today?"),
            ("Hello", "Hello! How can I help you today?"),
        ),
        sampling=PLAIN_TEXT,
    ),
    Kind(
        "remark",
        r"^\W*(?:(?:hi|hello|hey)\b\W*)?(?:i|my|we|our|i'm|i've)\b[^?]*$",
        examples=(
            ("I play the piano.", "That is nice! How can I help you today?"),
            ("My sister is a doctor.", "That is good to know! How can I help you today?"),
        ),
        sampling=PLAIN_TEXT,
    ),
    Kind(
        "yes or no",
        r"^\W*(?:is|are|do|does|can|could|was|were|did|will|has|have)\b",
        examples=(
            ("Is the sun a star?", "Yes, the sun is a star. It is the closest star to the Earth."),
            ("Can penguins fly?", "No, penguins cannot fly, but they are very good swimmers."),
        ),
    ),
    Kind(
        "fact",
        r"",
        examples=(
            ("When did the first man walk on the Moon?", "The first man walked on the Moon in 1969."),
            ("What is the longest river in Africa?", "The longest river in Africa is the Nile."),
        ),
    ),
)
"""In this order: the first whose pattern is found is the kind of a request, and the last takes the rest."""

SMOLLM2 = Profile(
    system="You are a helpful assistant. Answer clearly and briefly.",
    kinds=KINDS,
    sampling={
        "temperature": 0.0,
        "top_k": 40,
        "top_p": 0.9,
        "min_p": 0.1,
        "repeat_penalty": 1.0,
        "dry_multiplier": 0.8,
        "dry_base": 1.75,
        "dry_allowed_length": 12,
        "dry_penalty_last_n": 512,
        "dry_sequence_breakers": ["\n"],
    },
    bound_sampling={"temperature": 0.0},
    bound_examples=(
        ("What is the largest planet?", '{"planet": "Jupiter"}'),
        ("Tom is a cook from Lima and 28 years old.", '{"name": "Tom", "age": 28, "home": "Lima"}'),
    ),
    output_tokens=512,
    reading_tokens=400,
    rereads=True,
)
