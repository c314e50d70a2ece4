import StageGraph
import Testing

@testable import PipelineFile

@Suite struct MistakesTests {
    @Test func aFileWithManyMistakesListsThemAllInOrder() {
        let text = """
            retort: 1
            name: many mistakes
            parametres: {}
            parameters:
              questions: 2000
              data: ~
            stages:
              import:
                uses: imprt
                with: { path: ${data}/q.jsonl }
              cots:
                uses: teacher-sampling
                inputs: { questions: import }
                with:
                  tempreature: 0.5
                  samples: 17
                  timeout: soon
                  prompt: [a, b]
                  teacher: { kind: recorded, error-rate: 0.5 }
              more:
                uses: teacher-sampling
                inputs: { question: raw }
                with: { teacher: { kind: sythetic }, samples: ${question} }
              raw:
                uses: import
                with: { limit: 0, fields: { q: 1 } }
              duals:
                uses: dual-filtering
                inputs: { correct: cots.right, wrong: raw, demonstrations: [cots.wrong, cots.correct] }
                with: { mode: strickt, drop: word }
              train:
                uses: training
                inputs: { pairs: [duals, cots], start: train2 }
                width: {}
              train2:
                uses: training
                inputs: { pairs: duals, start: train }
              report:
                use: report
            """
        #expect(
            mistakes(text) == """
                toy.yaml:2:7: error: the pipeline's name "many mistakes" has characters other than letters, digits, "-" and "_"
                toy.yaml:3:1: error: unknown key "parametres" in the pipeline file; did you mean "parameters"? The keys are: retort, name, parameters, tiers, stages
                toy.yaml:6:3: error: parameter "data" has no value: give one with --set data=VALUE
                toy.yaml:9:11: error: unknown stage type "imprt"; did you mean "import"? Stage types: import, teacher-sampling, dual-filtering, training, report
                toy.yaml:15:7: error: unknown parameter "tempreature" of stage type teacher-sampling; did you mean "temperature"? It takes: samples, temperature, prompt, timeout, teacher
                toy.yaml:16:16: error: parameter "samples" takes an integer from 1 to 16, found 17
                toy.yaml:17:16: error: parameter "timeout" takes a number above 0, found "soon"
                toy.yaml:18:15: error: parameter "prompt" takes the path of a file, found a list
                toy.yaml:19:16: error: missing parameter "teacher.path" of stage type teacher-sampling: the path of a file
                toy.yaml:19:34: error: unknown parameter "teacher.error-rate" of stage type teacher-sampling; it belongs to kind synthetic
                toy.yaml:22:15: error: unknown input "question" of stage type teacher-sampling; did you mean "questions"? It takes: questions
                toy.yaml:23:30: error: parameter "teacher.kind" takes one of synthetic, recorded, found "sythetic"; did you mean "synthetic"?
                toy.yaml:23:51: error: unknown parameter "question" in ${question}; did you mean "questions"? The pipeline has: questions, data
                toy.yaml:25:11: error: missing parameter "path" of stage type import: the path of a file
                toy.yaml:26:20: error: parameter "limit" takes an integer of at least 1, found 0
                toy.yaml:26:36: error: parameter "fields.q" takes a string, found 1; write "1" in quotes
                toy.yaml:29:24: error: stage "cots" (teacher-sampling) has no output "right"; it has: correct, wrong
                toy.yaml:29:43: error: input "wrong" of stage type dual-filtering takes thoughts/1, but raw.questions is questions/1 (port "wrong" of dual-filtering, output "questions" of import)
                toy.yaml:29:48: error: input "demonstrations" of stage type dual-filtering takes one reference, found 2
                toy.yaml:30:19: error: parameter "mode" takes one of strict, lenient, found "strickt"; did you mean "strict"?
                toy.yaml:30:34: error: parameter "drop" takes a list, each element a string, found "word"
                toy.yaml:33:30: error: stage "cots" (teacher-sampling) has several outputs: write cots.correct or cots.wrong
                toy.yaml:33:44: error: the stages form a cycle, each taking an input from the next: train → train2 → train
                toy.yaml:34:5: error: unknown key "width" in stage "train"; did you mean "with"? The keys are: uses, inputs, with, matrix
                toy.yaml:39:5: error: unknown key "use" in stage "report"; did you mean "uses"? The keys are: uses, inputs, with, matrix
                """)
    }
}
