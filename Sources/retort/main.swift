import RetortCLI

await Retort.run()
