print("retort-student")
